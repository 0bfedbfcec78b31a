/** Keys in one call of a script: Redis does nothing else meanwhile, for about 0.3 ms. */
const MOST_AT_ONCE = 100;

/** A list in pieces that one call of a script may take. */
export function* piecesOf<T>(list: readonly T[]): Generator<T[], void, undefined> {
  for (let from = 0; from < list.length; from += MOST_AT_ONCE) yield list.slice(from, from + MOST_AT_ONCE);
}

import type { Check } from '../workload.ts';

/** The middle value, or the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) return Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** The smallest value that at least `share` of all values do not exceed (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** The quartiles: half of the values are between them. */
export function spreadOf(values: readonly number[]): [number, number] {
  return [percentile(values, 0.25), percentile(values, 0.75)];
}

/**
 * Compares two sides turn by turn: other activity of the machine in a turn affected both, so the ratio within a turn is more
 * meaningful than the ratio of the medians.
 */
export function pairwise(
  what: string,
  ours: readonly number[],
  theirs: readonly number[],
  bound: Pick<Check, 'atLeast' | 'atMost'> = {},
): Check {
  const ratios = ours.map((value, turn) => value / (theirs[turn] as number));
  return { what, value: median(ratios), spread: spreadOf(ratios), ...bound };
}

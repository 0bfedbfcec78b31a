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

export function spreadOf(values: readonly number[]): [number, number] {
  return [Math.min(...values), Math.max(...values)];
}

/**
 * Compares two sides round by round: whatever else the machine did in a round, it did to both, so that the ratio within a
 * round tells more than the ratio of the medians.
 */
export function pairwise(
  what: string,
  ours: readonly number[],
  theirs: readonly number[],
  bound: Pick<Check, 'atLeast' | 'atMost'>,
): Check {
  const ratios = ours.map((value, round) => value / (theirs[round] as number));
  return { what, value: median(ratios), spread: spreadOf(ratios), ...bound };
}

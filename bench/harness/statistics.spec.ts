import { describe, expect, it } from 'vitest';
import { median, pairwise, percentile } from './statistics.ts';
import { isMet } from '../workload.ts';

describe('the statistics of the bench', () => {
  it('takes the middle value, or the mean of the two middle ones', () => {
    expect(median([5, 1, 3])).toBe(3);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it('takes percentiles by nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile([7], 0.99)).toBe(7);
  });

  it('gives the quartiles of the turns as the spread of a ratio, and judges by the median', () => {
    const check = pairwise('throughput', [10, 1, 7, 3, 9, 5, 8, 6, 100], Array<number>(9).fill(10), {
      atLeast: 0.7,
    });
    expect(check).toMatchObject({ value: 0.7, spread: [0.5, 0.9] });
    expect(isMet(check)).toBe(true);
  });

  it('compares turn by turn, so that what slows down both sides changes nothing', () => {
    const check = pairwise('throughput', [80, 8, 800], [100, 10, 1000], { atLeast: 0.7 });
    expect(check).toMatchObject({ value: 0.8, spread: [0.8, 0.8], atLeast: 0.7 });
    expect(isMet(check)).toBe(true);
    expect(isMet({ ...check, atLeast: 0.81 })).toBe(false);
    expect(isMet({ what: 'latency', value: 2, atMost: 1.5 })).toBe(false);
  });

  it('does not count a missing figure as met', () => {
    expect(isMet({ what: 'latency', value: Number.NaN, atMost: 1.5 })).toBe(false);
  });
});

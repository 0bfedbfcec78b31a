import { describe, expect, it } from 'vitest';
import { Histogram } from './histogram.ts';

describe('Histogram', () => {
  it('gives percentiles of any durations to 4 %, and never too small', () => {
    for (const scale of [0.01, 1, 40, 9_000]) {
      const histogram = new Histogram();
      for (let i = 1; i <= 1_000; i += 1) histogram.record((i / 1_000) * scale);
      for (const percent of [50, 90, 99]) {
        const exact = (percent / 100) * scale;
        expect(histogram.percentile(percent)).toBeGreaterThanOrEqual(exact * 0.999);
        expect(histogram.percentile(percent)).toBeLessThanOrEqual(exact * 1.04 + 0.001);
      }
    }
  });

  it('merges to the histogram of all values', () => {
    const [one, other, all] = [new Histogram(), new Histogram(), new Histogram()];
    for (let i = 0; i < 500; i += 1) {
      (i % 3 === 0 ? one : other).record(i);
      all.record(i);
    }
    one.add(other);
    expect(one.counts).toEqual(all.counts);
    expect(one.size).toBe(500);
  });

  it('counts longer durations as the longest it can represent', () => {
    const histogram = new Histogram();
    histogram.record(10 * 60_000);
    expect(histogram.percentile(99)).toBeGreaterThan(60_000);
  });

  it('is 0 when nothing was recorded', () => {
    expect(new Histogram().percentile(99)).toBe(0);
  });
});

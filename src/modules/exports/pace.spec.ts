import { describe, expect, it } from 'vitest';
import { Pace } from './pace.js';

/** Works in pieces of 100, each taking `workMs`. @returns the time after each piece, its wait included */
function work(pace: Pace, pieces: number, workMs: number, from = 0): number[] {
  let now = from;
  return Array.from({ length: pieces }, () => {
    now += workMs;
    now += pace.waitAfter(100, now);
    return now;
  });
}

describe('A pace', () => {
  it('is even for work of any duration, after a head start of 50 ms', () => {
    for (const workMs of [0.5, 4]) {
      const times = work(new Pace(10_000), 100, workMs);
      const waited = times.filter((time) => time > 60);
      for (const [i, time] of waited.slice(1).entries()) expect(time - waited[i]!).toBeCloseTo(10);
      expect(times.at(-1)).toBeGreaterThan(940);
    }
  });

  it('does not delay slower work', () => {
    expect(new Set(work(new Pace(10_000), 20, 15).map((time) => time % 15))).toEqual(new Set([0]));
  });

  it('does not cause a burst after a long interruption', () => {
    const pace = new Pace(10_000);
    work(pace, 20, 1);
    const after = work(pace, 20, 1, 60_000);
    expect(after.at(-1)! - 60_000).toBeGreaterThan(140);
  });
});

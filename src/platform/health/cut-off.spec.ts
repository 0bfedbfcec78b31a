import { describe, expect, it } from 'vitest';
import { CutOff } from './cut-off.js';

/** The result of a row of counts, each read after the dependency could not be reached; `up` for a time when it was reached. */
function verdicts(...row: (number | undefined | 'up')[]): boolean[] {
  const cutOff = new CutOff();
  return row.map((beats) => {
    if (beats !== 'up') return cutOff.missed(beats);
    cutOff.reached();
    return false;
  });
}

describe('an instance that cannot reach a dependency', () => {
  it('is alone once others have reached it five times in a row', () => {
    expect(verdicts(10, 12, 14, 16, 18, 20, 22).indexOf(true)).toBe(5);
  });

  it('is not alone when the dependency fails for all, although earlier heartbeats still arrive', () => {
    expect(verdicts(10, 12, 13, 13, 13, 13, 13, 13)).not.toContain(true);
  });

  it('is not alone when a thawed Redis executes old heartbeats at once', () => {
    expect(verdicts(10, undefined, undefined, 15, 15, 15, 15, 15)).not.toContain(true);
  });

  it('is not alone when it is the only instance, or all others are of a version without heartbeats', () => {
    expect(verdicts(0, 0, 0, 0, 0, 0, 0, 0)).not.toContain(true);
  });

  it('is not alone when Redis is down too', () => {
    expect(verdicts(...Array.from({ length: 8 }, () => undefined))).not.toContain(true);
  });

  it('is still alone when the only other one skips an interval', () => {
    expect(verdicts(1, 2, 3, 4, 5, 6, 6, 7, 8).lastIndexOf(false)).toBe(4);
  });

  it('is no longer alone once the only other one is silent', () => {
    expect(verdicts(1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 6).lastIndexOf(true)).toBe(9);
  });

  it('is not alone because Redis came back empty and counts from the start', () => {
    expect(verdicts(500, 500, 500, 0, 0, 0, 0, 0)).not.toContain(true);
  });

  it('is back at once when it reaches the dependency, and counts from the start when it loses it again', () => {
    const row = verdicts(1, 2, 3, 4, 5, 6, 'up', 9, 10, 11, 12, 13, 14);
    expect(row.indexOf(true)).toBe(5);
    expect(row.lastIndexOf(true)).toBe(12);
    expect(row.slice(6, 12)).not.toContain(true);
  });
});

import { describe, expect, it } from 'vitest';
import type { Probed } from '../rig.ts';
import { check } from './readiness.invariant.ts';

/** One answer every 250 ms for eight seconds. */
function answers(process: Probed['process'], statusAt: (at: number) => number, excused = false): Probed[] {
  return Array.from({ length: 32 }, (_, i) => {
    const at = i * 250;
    return { process, path: '/health/ready', at, status: statusAt(at), excused };
  });
}

const during =
  (from: number, to: number, status: number) =>
  (at: number): number =>
    at >= from && at < to ? status : 200;

function violations(...probes: Probed[][]): number {
  return check({ rig: { probes: probes.flat() } }).violations.length;
}

describe('readiness', () => {
  it('is broken when both instances leave at once', () => {
    expect(
      violations(answers('api-1', during(2_000, 5_000, 503)), answers('api-2', during(2_100, 5_500, 503))),
    ).toBe(1);
  });

  it.each<[string, Probed[][]]>([
    ['nobody leaves', [answers('api-1', () => 200), answers('api-2', () => 200)]],
    ['one leaves', [answers('api-1', during(0, 8_000, 503)), answers('api-2', () => 200)]],
    [
      'one leaves after the other',
      [answers('api-1', during(1_000, 3_000, 503)), answers('api-2', during(4_000, 7_000, 503))],
    ],
    [
      'a fault holds the other one down',
      [answers('api-1', during(1_000, 7_000, 503)), answers('api-2', during(0, 8_000, 503), true)],
    ],
    [
      'the other one does not answer',
      [answers('api-1', during(1_000, 7_000, 503)), answers('api-2', during(0, 8_000, 0))],
    ],
    [
      'workers leave',
      [answers('worker-1', during(0, 8_000, 503)), answers('worker-2', during(0, 8_000, 503))],
    ],
  ])('holds when %s', (_, probes) => {
    expect(violations(...probes)).toBe(0);
  });
});

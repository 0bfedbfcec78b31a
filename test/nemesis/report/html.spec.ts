import { describe, expect, it } from 'vitest';
import type { Operation } from '../history.ts';
import type { ScheduleResult } from '../result.ts';
import { renderHtml } from './html.ts';
import { reported } from './report.ts';
import type { NemesisReport } from './report.ts';
import { describeBroken } from './terminal.ts';
import { timelineOf } from './timeline.ts';

function operation(id: number, more: Partial<Operation> = {}): Operation {
  return {
    id,
    client: `client-${id % 3}`,
    kind: 'transfer',
    object: `account-${id}`,
    key: `key-${id}`,
    input: { amount: id },
    at: 'api-1',
    invokedAt: id * 100,
    completedAt: id * 100 + 5,
    outcome: 'ok',
    status: 201,
    ...more,
  };
}

const history = Array.from({ length: 100 }, (_, id) =>
  operation(id, id >= 40 && id < 50 ? { outcome: 'refused', status: 503 } : {}),
);
history[50] = operation(50, { outcome: 'unknown', error: '<reset>', completedAt: undefined });

function result(held: boolean): ScheduleResult {
  const steps = [
    { at: 4_000, lasts: 1_000, fault: 'frozen', target: 'postgres', with: {} },
    { at: 4_500, lasts: 0, fault: 'cut', target: 'api-1>redis', with: {} },
  ];
  const log = ['{"requestId":"r-50","message":"<b>gone</b>"}'];
  const lost = { what: 'the transfer of key-50 was acknowledged & is gone', about: ['key-50'], log };
  return {
    schedule: { seed: 4711, product: 'ledger', lasts: 10_000, steps },
    held,
    spent: { starting: 21_000, 'breaking things': 10_000 },
    history,
    applied: steps.map((step) => ({ step, beganAt: step.at + 3, endedAt: step.at + step.lasts + 9 })),
    counts: { faults: 2, ok: 89, refused: 10, unknown: 1 },
    invariants: [
      {
        name: 'transfers',
        statement: 'No acknowledged transfer is lost',
        counted: '89 acknowledged transfers',
        violations: held ? [] : Array.from({ length: 7 }, () => lost),
      },
    ],
  };
}

function report(held: boolean): NemesisReport {
  const shrunk = {
    invariant: 'transfers',
    schedule: { ...result(held).schedule, steps: result(held).schedule.steps.slice(0, 1) },
    broke: 3,
    of: 4,
    runs: 12,
    minutes: 5.25,
    outOfBudget: false,
  };
  return {
    startedAt: '2026-11-22T03:00:00.000Z',
    durationMs: 65_000,
    held,
    machine: { cores: 2, memoryMb: 4_096, node: 'v26.10.0', commit: 'abc1234' },
    faults: { frozen: 'The process stops <and> goes on later' },
    unavailable: { disk: 'no user namespaces' },
    schedules: [reported(result(held), held ? undefined : shrunk)],
  };
}

describe('the report', () => {
  it('is self-contained', () => {
    const html = renderHtml(report(false));
    expect(html).not.toMatch(/<script|<link|<img|@import|url\(|https?:/);
    expect(html).toContain('<svg');
  });

  it('shows what held and what did not, with what it counted', () => {
    expect(renderHtml(report(true))).toContain('1 of 1 schedules held');
    const html = renderHtml(report(false));
    expect(html).toContain('0 of 1 schedules held');
    expect(html).toContain('89 acknowledged transfers');
    expect(html).toContain('violated 7 times');
    expect(html).toContain('Not tried: disk: no user namespaces');
  });

  it('shows each fault with its name and target over the timeline', () => {
    const html = renderHtml(report(true));
    expect(html).toContain('>frozen postgres<');
    expect(html).toContain('>cut api-1&#62;redis<');
    expect(html.match(/<rect class="fault"/g)).toHaveLength(2);
  });

  it('shows the shortest schedule, and what clients and processes said about a violation', () => {
    const html = renderHtml(report(false));
    expect(html).toContain('frozen postgres at 4.0 s for 1.0 s, in 10.0 s');
    expect(html).toContain('it broke in 3 of its 4 runs; 12 runs in 5.3 min');
    expect(html).toContain('5000 .. ');
    expect(html).toContain('key-50');
  });

  it('escapes texts', () => {
    const html = renderHtml(report(false));
    expect(html).not.toMatch(/<b>|<and>|<reset>/);
    expect(html).toContain('acknowledged &#38; is gone');
  });

  it('says that a mend was taken out on purpose', () => {
    expect(renderHtml({ ...report(false), sabotage: 'no-inbox' })).toContain('<code>no-inbox</code>');
  });
});

describe('what is kept of a broken schedule', () => {
  it('is the first violations, with the operations of their ids', () => {
    const [invariant] = reported(result(false)).invariants;
    expect(invariant).toMatchObject({ violated: 7 });
    expect(invariant!.violations).toHaveLength(5);
    expect(invariant!.violations[0]!.operations.map(({ id }) => id)).toEqual([50]);
  });

  it('is printed with the seed, the history, the log and the command', () => {
    const [schedule] = report(false).schedules;
    expect(describeBroken(schedule!, '--replay reports/nemesis.json').slice(0, 9)).toEqual([
      'Seed 4711 breaks a promise of ledger.',
      '  The shortest schedule that still breaks transfers: frozen postgres at 4.0 s for 1.0 s, in 10.0 s',
      '  (it broke in 3 of its 4 runs; 12 runs in 5.3 min)',
      '  Broken: No acknowledged transfer is lost (89 acknowledged transfers; violated 7 times)',
      '    the transfer of key-50 was acknowledged & is gone',
      '    What clients saw:',
      '      5000.. ms client-2 transfer account-50 key key-50 unknown 201 <reset>',
      '    What was logged about it:',
      '      {"requestId":"r-50","message":"<b>gone</b>"}',
    ]);
    expect(describeBroken(schedule!, '--replay reports/nemesis.json').at(-1)).toBe(
      '  Once more: npm run verify -- --nemesis --replay reports/nemesis.json',
    );
  });
});

describe('the timeline', () => {
  it('counts every operation in the slot in which it began', () => {
    const { slotMs, ok, refused, unknown } = timelineOf(history, 10_000);
    expect(slotMs).toBe(500);
    expect(ok).toHaveLength(20);
    const sum = (counts: number[]): number => counts.reduce((total, count) => total + count, 0);
    expect([sum(ok), sum(refused), sum(unknown)]).toEqual([89, 10, 1]);
    expect(refused.slice(7, 11)).toEqual([0, 5, 5, 0]);
    expect(unknown[10]).toBe(1);
  });

  it('counts what began late, when the last clients finished, in the last slot', () => {
    expect(timelineOf([operation(300)], 10_000).ok.at(-1)).toBe(1);
  });
});

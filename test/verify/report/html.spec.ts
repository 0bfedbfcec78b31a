import { describe, expect, it } from 'vitest';
import { Recorder } from '../load/recorder.ts';
import { StreamResult } from '../load/load-result.ts';
import type { RunResult } from '../results.ts';
import { renderHtml } from './html.ts';
import { plotDataOf } from './plot-data.ts';

const START = 1_800_000_000_000;

function someLoad(): StreamResult {
  const recorder = new Recorder('load');
  for (let i = 0; i < 1_000; i += 1) {
    const startedAt = START + i * 10;
    const outcome = i >= 400 && i < 600 ? 'refused' : i === 700 ? 'reset' : 'ok';
    const status = outcome === 'ok' ? 200 : outcome === 'refused' ? 503 : 0;
    recorder.record({ outcome, status, startedAt, endedAt: startedAt + 5 });
  }
  return new StreamResult([recorder.data()]);
}

const fault = { label: 'PostgreSQL <frozen>', from: START + 4_000, to: START + 6_000 };

function run(held: boolean): RunResult {
  return {
    startedAt: new Date(START).toISOString(),
    durationMs: 65_000,
    held,
    machine: { cores: 2, memoryMb: 4_096, node: 'v26.10.0', commit: 'abc1234' },
    env: {},
    scenarios: [
      {
        name: 'postgres-outage',
        promise: 'Nothing is lost & nobody waits.',
        held,
        durationMs: 12_000,
        checks: [{ statement: 'no order is lost', held, measured: '0 of 10' }],
        figures: [{ label: 'transfers', value: '10' }],
        tables: [{ title: 'Costs', head: ['', 'peak'], rows: [['api', '0.51']] }],
        notes: [],
        skipped: undefined,
        error: held ? undefined : 'Error: it broke',
        evidence: [{ at: 'now', what: '<script>alert(1)</script>' }],
        plots: [plotDataOf('All traffic', someLoad(), [fault])],
        linePlots: [
          {
            title: 'Memory',
            unit: 'MB',
            seconds: 10,
            lines: [
              {
                name: 'api',
                points: [
                  [0, 90],
                  [10, 91],
                ],
              },
            ],
          },
        ],
      },
    ],
  };
}

describe('the report', () => {
  it('is self-contained', () => {
    const html = renderHtml(run(true));
    expect(html).not.toMatch(/<script|<link|<img|@import|url\(|https?:/);
    expect(html).toContain('<svg');
  });

  it('shows what held and what did not', () => {
    expect(renderHtml(run(true))).toContain('1 of 1 promises held');
    const broken = renderHtml(run(false));
    expect(broken).toContain('0 of 1 promises held');
    expect(broken).toContain('Error: it broke');
  });

  it('escapes texts', () => {
    const html = renderHtml(run(true));
    expect(html).not.toContain('<script>');
    expect(html).not.toContain('<frozen>');
    expect(html).toContain('Nothing is lost &#38; nobody waits.');
  });
});

describe('the plot', () => {
  it('counts the outcomes of requests per second, at the time when they were due', () => {
    const { ok, refused, failed, stepMs, seconds, p50 } = plotDataOf('All traffic', someLoad(), []);
    const per = (rates: number[]): number => rates.reduce((sum, rate) => sum + (rate * stepMs) / 1_000, 0);
    expect([per(ok), per(refused), per(failed)]).toEqual([799, 200, 1]);
    expect(seconds).toBe(10);
    expect(p50[0]).toBeCloseTo(5, 0);
    expect(p50[Math.floor(5_000 / stepMs)]).toBeNull();
  });

  it('shades the time of the fault, cut to the length of the load', () => {
    const late = { label: 'late', from: START + 9_000, to: START + 60_000 };
    const before = { label: 'before', from: START - 5_000, to: START - 1_000 };
    const { faults } = plotDataOf('All traffic', someLoad(), [fault, late, before]);
    expect(faults).toEqual([
      { label: 'PostgreSQL <frozen>', from: 4, to: 6 },
      { label: 'late', from: 9, to: 10 },
    ]);
  });
});

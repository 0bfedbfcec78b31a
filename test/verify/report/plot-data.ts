import { Histogram } from '../load/histogram.ts';
import type { StreamResult } from '../load/load-result.ts';
import type { Fault } from '../scenario-report.ts';

/** What is drawn, in steps of `stepMs` from the start; times in seconds from the start, rates per second, latency in ms. */
export interface PlotData {
  title: string;
  stepMs: number;
  seconds: number;
  ok: number[];
  refused: number[];
  failed: number[];
  /** Of the successes; null where there were none. */
  p50: (number | null)[];
  p99: (number | null)[];
  faults: { label: string; from: number; to: number }[];
}

/** Other values over time, a line each. */
export interface LinePlotData {
  title: string;
  unit: string;
  seconds: number;
  /** Points as seconds from the start and value. */
  lines: { name: string; points: [seconds: number, value: number][] }[];
}

/** No more points than a plot has room for. */
const MOST_STEPS = 240;
/** Multiples of the recorded step: other steps would draw waves that do not exist. */
const STEPS_MS = [200, 500, 1_000, 2_000, 5_000];

export function plotDataOf(title: string, result: StreamResult, faults: Fault[]): PlotData {
  const { startedAt, endedAt } = result;
  if (result.buckets.length === 0) return emptyPlot(title);
  const length = endedAt - startedAt;
  const stepMs = STEPS_MS.find((step) => length / step <= MOST_STEPS) ?? STEPS_MS.at(-1)!;
  const steps = Math.ceil(length / stepMs);
  const counts = Array.from({ length: steps }, () => ({
    ok: 0,
    refused: 0,
    failed: 0,
    latency: new Histogram(),
  }));
  for (const bucket of result.buckets) {
    const step = counts[Math.floor((bucket.at - startedAt) / stepMs)];
    if (!step) continue;
    step.ok += bucket.ok;
    step.refused += bucket.refused;
    for (const count of Object.values(bucket.failures)) step.failed += count;
    if (bucket.latency) step.latency.add(new Histogram(bucket.latency));
  }
  const rate = (count: number): number => Math.round((count * 1_000) / stepMs);
  const percentile = (latency: Histogram, percent: number): number | null =>
    latency.size === 0 ? null : Math.round(latency.percentile(percent) * 100) / 100;
  return {
    title,
    stepMs,
    seconds: length / 1_000,
    ok: counts.map(({ ok }) => rate(ok)),
    refused: counts.map(({ refused }) => rate(refused)),
    failed: counts.map(({ failed }) => rate(failed)),
    p50: counts.map(({ latency }) => percentile(latency, 50)),
    p99: counts.map(({ latency }) => percentile(latency, 99)),
    faults: faults
      .filter(({ from, to }) => to > startedAt && from < endedAt)
      .map(({ label, from, to }) => ({
        label,
        from: Math.max(0, (from - startedAt) / 1_000),
        to: Math.min(length, to - startedAt) / 1_000,
      })),
  };
}

function emptyPlot(title: string): PlotData {
  const none: never[] = [];
  return {
    title,
    stepMs: 250,
    seconds: 0,
    ok: none,
    refused: none,
    failed: none,
    p50: none,
    p99: none,
    faults: none,
  };
}

import type { Testbed } from '../testbed/testbed.ts';
import type { Check, Measure, Outcome } from '../workload.ts';
import { alternate } from './alternate.ts';
import type { Bench } from './bench.ts';
import { cpuMicroseconds } from './process-usage.ts';
import type { RequestTemplate } from '../../local/requests.ts';
import { pairwise } from './statistics.ts';
import { load } from './wrk.ts';
import type { LoadResult } from './wrk.ts';

/** A server under load. */
export interface Side {
  name: string;
  url: string;
  readonly pid: number;
}

export interface RateOptions {
  requests: readonly RequestTemplate[];
  /** Before each round of each side, for instance to clear the data of the last one. */
  prepare?: () => Promise<unknown>;
}

export interface Rate extends LoadResult {
  /** Processor time of the server in microseconds per request. */
  cpu: number;
}

/**
 * The speed of a shared machine changes by a third within a minute. Sides that take short turns meet the same speed, and many
 * ratios have a steadier median than a few.
 */
const TURN_SECONDS = 1;
/** After so many requests the hot paths are compiled; a busy machine takes longer for them. */
const WARM_UP_REQUESTS = 20_000;
const WARM_UP_TURNS = 24;

/** Sends the same requests to each side in turn, as fast as it answers, over 32 connections. */
export function compareRates(
  bench: Bench,
  testbed: Testbed,
  sides: readonly Side[],
  { requests, prepare }: RateOptions,
): Promise<Rate[][]> {
  const run = async ({ url, pid }: Side): Promise<Rate> => {
    const before = cpuMicroseconds(pid);
    const result = await load({ url, requests, seconds: TURN_SECONDS, directory: testbed.directory });
    return { ...result, cpu: (cpuMicroseconds(pid) - before) / result.requests };
  };
  const warmUp = async (side: Side): Promise<void> => {
    for (let sent = 0, turns = 0; sent < WARM_UP_REQUESTS && turns < WARM_UP_TURNS; turns += 1) {
      sent += (await run(side)).requests;
    }
  };
  return alternate(
    bench,
    sides.map((side) => ({
      name: side.name,
      prepare,
      warmUp: () => warmUp(side),
      measure: () => run(side),
    })),
    bench.turnsOf(TURN_SECONDS),
  );
}

export function rateMeasure(side: string, rounds: readonly Rate[]): Measure {
  return {
    side,
    unit: 'requests/s',
    rounds: rounds.map(({ perSecond }) => perSecond),
    p50: rounds.map(({ p50 }) => p50),
    p99: rounds.map(({ p99 }) => p99),
    cpu: rounds.map(({ cpu }) => cpu),
  };
}

export interface RateBars {
  /** Throughput, ours divided by theirs. */
  atLeast: number;
  /** p99, ours divided by theirs. */
  p99AtMost?: number;
}

/** The rows of a workload that compares the product with one other side; without that side there is no bar. */
export function rateOutcome(sides: readonly Side[], measured: readonly Rate[][], bars: RateBars): Outcome {
  const measures = sides.map(({ name }, index) => rateMeasure(name, measured[index] ?? []));
  const [ours = [], theirs] = measured;
  if (theirs === undefined) return { measures, checks: [] };
  const checks: Check[] = [
    pairwise(
      'throughput of bare',
      ours.map(({ perSecond }) => perSecond),
      theirs.map(({ perSecond }) => perSecond),
      { atLeast: bars.atLeast },
    ),
    pairwise(
      'processor time of bare, per request',
      ours.map(({ cpu }) => cpu),
      theirs.map(({ cpu }) => cpu),
    ),
  ];
  if (bars.p99AtMost !== undefined) {
    checks.push(
      pairwise(
        'p99 of bare',
        ours.map(({ p99 }) => p99),
        theirs.map(({ p99 }) => p99),
        { atMost: bars.p99AtMost },
      ),
    );
  }
  return { measures, checks };
}

import type { Bench } from './harness/bench.ts';

/** One row of the comparison: a file in `workloads/`. */
export interface Workload {
  /** For `--only` and `--profile`. */
  name: string;
  title: string;
  /** True for workloads without a bar, which run only when they are named. */
  onDemand?: boolean;
  run(bench: Bench): Promise<Outcome>;
}

export interface Outcome {
  measures: Measure[];
  checks: Check[];
  /** What a reader must know to judge the figures, beyond what applies to every workload. */
  notes?: string[];
}

/** One line of the table: the result of one side, once per turn. */
export interface Measure {
  /** `holdfast`, `bare`, or their equivalents in this workload. */
  side: string;
  unit: string;
  rounds: number[];
  /** Latency of requests in milliseconds, by turn. */
  p50?: number[];
  p99?: number[];
  /** Processor time of the server process per request in microseconds, by turn. */
  cpu?: number[];
}

/** What must hold, and whether it does. */
export interface Check {
  what: string;
  value: number;
  /** The quartiles of all turns, where it was taken in each of them. */
  spread?: [number, number];
  unit?: string;
  atLeast?: number;
  atMost?: number;
}

export function isMet({ value, atLeast = -Infinity, atMost = Infinity }: Check): boolean {
  return value >= atLeast && value <= atMost;
}

import { Stage } from '../stage/stage.ts';
import type { StageOptions } from '../stage/stage.ts';
import type { Subject } from '../subject.ts';
import type { Progress } from './progress.ts';

export interface BenchOptions {
  subject: Subject;
  /** Measured rounds of each side. */
  rounds: number;
  /** Length of a round, for workloads with timed rounds. */
  seconds: number;
  progress: Progress;
  /** Folder for the CPU profiles of all measured processes. */
  profileInto?: string;
}

/** When a side was measured, on the kernel's monotonic clock in microseconds: the part of a CPU profile that counts. */
export interface Window {
  from: number;
  to: number;
}

/** The environment of a workload. */
export class Bench {
  readonly rounds: number;
  readonly seconds: number;
  readonly windows: Window[] = [];
  private readonly options: BenchOptions;
  private readonly stages: Stage[] = [];

  constructor(options: BenchOptions) {
    this.options = options;
    this.rounds = options.rounds;
    this.seconds = options.seconds;
  }

  /** Reports the current step. */
  say(activity: string): void {
    this.options.progress.say(activity);
  }

  /** Starts private servers for the workload; they end with it. */
  async open(options: StageOptions = {}): Promise<Stage> {
    this.say('starting servers');
    const stage = await Stage.open(this.options.subject, options, this.options.profileInto);
    this.stages.push(stage);
    return stage;
  }

  /** A measurement; a CPU profile counts only the time inside of one. */
  async measuring<T>(work: () => Promise<T>): Promise<T> {
    const from = now();
    try {
      return await work();
    } finally {
      this.windows.push({ from, to: now() });
    }
  }

  /** Ends everything that the workload has started. */
  async close(): Promise<void> {
    await Promise.all(this.stages.map((stage) => stage.close()));
  }
}

function now(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

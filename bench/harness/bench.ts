import { Stage } from '../stage/stage.ts';
import type { StageOptions } from '../stage/stage.ts';
import type { Progress } from './progress.ts';

export interface BenchOptions {
  /** Measured rounds of each side. */
  rounds: number;
  /** Length of a round, where a round is a length of time. */
  seconds: number;
  progress: Progress;
  /** Folder that takes the CPU profiles of all processes that are measured. */
  profileInto?: string;
}

/** When a side was measured, on the kernel's monotonic clock in microseconds: what of a CPU profile counts. */
export interface Window {
  from: number;
  to: number;
}

/** What a workload runs in. */
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

  /** Says what is being done. */
  say(activity: string): void {
    this.options.progress.say(activity);
  }

  /** Starts servers of its own for the workload; they end with it. */
  async open(options: StageOptions = {}): Promise<Stage> {
    this.say('starting servers');
    const stage = await Stage.open(options, this.options.profileInto);
    this.stages.push(stage);
    return stage;
  }

  /** A measurement; a CPU profile counts only what happens in one. */
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

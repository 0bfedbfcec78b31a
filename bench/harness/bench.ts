import { Testbed } from '../testbed/testbed.ts';
import type { TestbedOptions } from '../testbed/testbed.ts';
import type { Subject } from '../subject.ts';
import type { Progress } from '../../local/progress.ts';

export interface BenchOptions {
  subject: Subject;
  /** Measured rounds of each side. */
  rounds: number;
  /** Load of each side in a round, for workloads with timed rounds. */
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
  private readonly testbeds: Testbed[] = [];

  constructor(options: BenchOptions) {
    this.options = options;
    this.rounds = options.rounds;
    this.seconds = options.seconds;
  }

  /** How often each side is measured when a round is divided into turns of so many seconds. */
  turnsOf(seconds: number): number {
    return Math.max(1, Math.round((this.rounds * this.seconds) / seconds));
  }

  /** Reports the current step. */
  say(activity: string): void {
    this.options.progress.phase(activity);
  }

  /** Starts private servers for the workload; they end with it. */
  async open(options: TestbedOptions = {}): Promise<Testbed> {
    this.say('starting servers');
    const testbed = await Testbed.open(this.options.subject, options, this.options.profileInto);
    this.testbeds.push(testbed);
    return testbed;
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
    await Promise.all(this.testbeds.map((testbed) => testbed.close()));
  }
}

function now(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

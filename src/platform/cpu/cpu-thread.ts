import os from 'node:os';
import { isMainThread } from 'node:worker_threads';

/*
 * What runs in each thread of the pool. Under vitest Node loads this file as TypeScript, so its syntax must be erasable
 * and it may import packages only (the same holds for the modules of tasks).
 */

/** A task as it is sent to a thread. */
export interface ThreadTask {
  /** URL of the module whose export does the work. */
  module: string;
  name: string;
  input: unknown;
  /** After this the result is not needed; by `steadyMs`. */
  deadline: number;
  /** Its element is 1 as soon as the client has disconnected. Shared, because the task may already wait in its thread. */
  cancelled: Int32Array;
}

/** `done: false` means that nobody waited for the result any more when its turn came; the work did not begin. */
export type ThreadResult = { done: true; output: unknown } | { done: false };

/**
 * On Linux a thread has a nice value of its own (sched(7)), and setpriority(2) with 0 changes that of the calling thread
 * alone: the event loop keeps the default and is scheduled before all hashing, also on one core. At 14 a thread still gets a
 * twentieth of a contended core, so that logins continue beside a flood of reads. At 10 a process that woke up waited longer for
 * a thread to be preempted: the p99 of reads during logins was twice as long. The
 * pool passes the value on.
 */
const nice = Number(process.argv[2]);
try {
  if (!isMainThread && process.platform === 'linux') os.setPriority(0, nice);
} catch {
  // A sandbox may forbid it; then the threads run at normal priority.
}

/** A clock that all threads of a process share and nobody sets: that of `performance.now()` begins anew in each. */
export function steadyMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

const modules = new Map<string, Record<string, (input: unknown) => unknown>>();

export default async function runTask(task: ThreadTask): Promise<ThreadResult> {
  const { module, name, input, deadline, cancelled } = task;
  if (steadyMs() > deadline || Atomics.load(cancelled, 0) === 1) return { done: false };
  let loaded = modules.get(module);
  if (!loaded) {
    loaded = (await import(module)) as Record<string, (input: unknown) => unknown>;
    modules.set(module, loaded);
  }
  const work = loaded[name];
  if (!work) throw new Error(`${module} has no export ${name}`);
  return { done: true, output: await work(input) };
}

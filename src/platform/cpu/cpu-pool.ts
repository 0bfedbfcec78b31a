import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Piscina } from 'piscina';
import { Settings } from '../../config/index.js';
import { TransientError } from '../errors/index.js';
import { RequestContext } from '../context/index.js';
import type { CpuTask } from './cpu-task.js';
import { steadyMs, type ThreadResult, type ThreadTask } from './cpu-thread.js';
import { BACKGROUND, TwoClassQueue } from './two-class-queue.js';

/** Tasks that may wait for each thread. With a password hash at about 30 ms that is a wait of some 2 seconds. */
const WAITING_PER_THREAD = 64;
/** Background tasks have a smaller share of these places: however many they are, the rest stays free for other tasks. */
const BACKGROUND_PER_THREAD = 16;
/**
 * One runs and one waits in the thread itself, which would otherwise be idle until the event loop sends it the next one: 2 % of
 * all logins.
 */
const TASKS_PER_THREAD = 2;
/** A thread that had nothing to do for this long is ended; the next task starts one (about 40 ms). */
const IDLE_THREAD_MS = 60_000;

const ENDING = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

/**
 * Runs work that takes the processor for milliseconds: in a bounded number of threads at low priority, so that the event loop
 * stays free, with a bounded queue, so that a flood is rejected while that is cheap. Threads start on demand.
 */
@Injectable()
export class CpuPool implements OnApplicationShutdown {
  readonly threads: number;
  private readonly logger = new Logger(CpuPool.name);
  private readonly pool: Piscina<ThreadTask, ThreadResult>;
  /** Tasks that run or wait, not counting background tasks. */
  private urgent = 0;
  private background = 0;

  constructor(@Inject(Settings) { cpu }: Settings) {
    this.threads = cpu.threads || availableParallelism();
    this.pool = new Piscina<ThreadTask, ThreadResult>({
      filename: fileURLToPath(new URL(`./cpu-thread.${ENDING}`, import.meta.url)),
      minThreads: 0,
      maxThreads: this.threads,
      concurrentTasksPerWorker: TASKS_PER_THREAD,
      idleTimeout: IDLE_THREAD_MS,
      taskQueue: new TwoClassQueue(),
      // A computing thread needs neither the tracing preload nor the secrets of this process.
      execArgv: [],
      argv: [String(cpu.threadsNice)],
      env: {},
      recordTiming: false,
    });
    this.pool.on('error', (error: Error) =>
      this.logger.error({ err: error }, 'A thread of the CPU pool died'),
    );
  }

  /** Tasks that wait for a thread. */
  get waiting(): number {
    return Math.max(0, this.urgent + this.background - this.threads);
  }

  /**
   * Runs a task in a thread. It is not started when its request is past its deadline or its client has disconnected by the time
   * that its turn comes: clients that hang up and try again would otherwise fill the pool with work that nobody waits for.
   * @param options `background`: waits until no other task waits
   * @throws TransientError `busy` when too many wait or the deadline passed, `request-abandoned`; whatever the task throws.
   */
  async run<Input, Output>(
    task: CpuTask<Input, Output>,
    input: Input,
    { background = false } = {},
  ): Promise<Output> {
    const kind = background ? 'background' : 'urgent';
    const places = this.threads * (1 + (background ? BACKGROUND_PER_THREAD : WAITING_PER_THREAD));
    if (this[kind] >= places) throw busy();
    this[kind] += 1;
    const context = RequestContext.current();
    const cancelled = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const forget = context?.onAbort(() => Atomics.store(cancelled, 0, 1));
    try {
      const result = await this.pool.run({
        module: task.module,
        name: task.name,
        input,
        deadline: steadyMs() + (context?.remainingMs ?? Infinity),
        cancelled,
        ...(background && BACKGROUND),
      });
      if (!result.done) throw context?.abandoned ?? busy();
      return result.output as Output;
    } finally {
      forget?.();
      this[kind] -= 1;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.destroy();
  }
}

function busy(): TransientError {
  return new TransientError({
    /**
     * Too much computing (such as hashing passwords) is waiting. Nothing has happened. Retry with backoff.
     */
    code: 'busy',
    detail: 'Too much computation is waiting. Retry later.',
    retryAfterSeconds: 2,
  });
}

import { Worker, type Processor, type WorkerOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Settings } from '../../../config/index.js';
import { fullJitter } from '../queues/retries.js';
import { TopologyError } from '../topology/topology-rules.js';
import type { WorkerJobs } from './worker-jobs.js';

/** A job whose worker has not renewed its lock for this long is taken over by another. */
const LOCK_MS = 10_000;
const STALLED_CHECK_MS = 5000;
/** A stall means that a process died, not that a job is bad; `CRASHES_ALLOWED` decides about bad jobs. */
const STALLS_ALLOWED = 1_000_000;
/** How long a worker waits before it retries after an error; BullMQ's 15 s would prolong every outage. */
const WORKER_RETRY_MS = 500;

/** The options that a `@Processor` may set. */
const SUPPORTED = new Set(['concurrency', 'limiter', 'lockDuration']);

/**
 * The class from which `@nestjs/bullmq` creates a worker for each processor, ours and plain ones: with our connection and limits,
 * and every job run by `jobs`. Workers do nothing before `run`.
 * @param made collects them
 */
export function workerClass(
  connection: Redis,
  { messaging, redis }: Settings,
  jobs: WorkerJobs,
  made: Worker[],
): typeof Worker {
  const OurWorker = class extends Worker {
    constructor(queue: string, process: Processor, options: WorkerOptions) {
      const unsupported = Object.entries(options)
        .filter(([option, value]) => !SUPPORTED.has(option) && value !== undefined)
        .map(
          ([option]) =>
            `the processor of the queue ${queue} sets ${option}, which is not supported; leave it out`,
        );
      if (unsupported.length > 0) throw new TopologyError(unsupported);
      super(queue, (job, token = '') => jobs.run(queue, job, token, process), {
        concurrency: messaging.concurrency,
        lockDuration: LOCK_MS,
        ...options,
        autorun: false,
        connection,
        prefix: redis.prefix,
        stalledInterval: STALLED_CHECK_MS,
        maxStalledCount: STALLS_ALLOWED,
        runRetryDelay: WORKER_RETRY_MS,
        settings: { backoffStrategy: fullJitter(messaging.backoffMs, messaging.backoffMaxMs) },
      });
      made.push(this);
    }
  };
  return OurWorker as typeof Worker;
}

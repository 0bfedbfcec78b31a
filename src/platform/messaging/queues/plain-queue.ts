import { Job, Queue, type JobsOptions, type QueueOptions } from 'bullmq';
import { jobOptionProblems } from './job-options.js';

/** A job on its way into the outbox. */
export interface NewJob {
  name: string;
  data: unknown;
  options: JobsOptions;
}

/** Where queues put their jobs. */
export interface JobWriter {
  /** @returns the jobs' ids */
  enqueue(queue: string, jobs: readonly NewJob[]): Promise<string[]>;
}

/** A feature's options for `BullModule.registerQueue`, with those that messaging adds to every queue. */
export type PlainQueueOptions = Pick<QueueOptions, 'defaultJobOptions'> & { writer: JobWriter };

const SUPPORTED = new Set(['name', 'defaultJobOptions', 'writer']);
const OWN_CONNECTION = 'queues use REDIS_URL; remove it, and BullModule.forRoot from the feature';
const REMEDIES: Record<string, string> = {
  connection: OWN_CONNECTION,
  configKey: OWN_CONNECTION,
  prefix: 'keys begin with REDIS_PREFIX',
  processors: 'write a class with @Processor that extends WorkerHost; CPU-heavy work belongs in CpuPool',
  telemetry: 'jobs are traced already',
};

/**
 * The queue that `@InjectQueue` injects: jobs go into the outbox, in the open unit of work if there is one, and from there to
 * BullMQ. It has no connection to Redis, so that adding works without one (docs/decisions/0012-plain-queues.md).
 */
export class PlainQueue {
  /** @throws Error when it is registered with options that cannot be kept */
  constructor(
    readonly name: string,
    readonly opts: PlainQueueOptions,
  ) {
    const unsupported = Object.entries(opts).filter(
      ([key, value]) => !SUPPORTED.has(key) && value !== undefined,
    );
    const problems = [
      ...unsupported.map(([key]) => `${key} is not supported; ${REMEDIES[key] ?? 'leave it out'}`),
      ...jobOptionProblems(opts.defaultJobOptions ?? {}).map((problem) => `defaultJobOptions.${problem}`),
    ];
    if (problems.length > 0)
      throw new Error(`The queue ${name} cannot be registered: ${problems.join('. ')}`);
  }

  /**
   * Adds a job. It exists when the open unit of work commits; outside of one, when this resolves.
   * @throws Error when an option cannot be kept; `TransientError` when PostgreSQL is unavailable
   */
  async add(name: string, data?: unknown, opts?: JobsOptions): Promise<Job> {
    const [job] = await this.addBulk([{ name, data, opts }]);
    return job!;
  }

  /** Adds all of them or none. */
  async addBulk(jobs: readonly { name: string; data?: unknown; opts?: JobsOptions }[]): Promise<Job[]> {
    const added = jobs.map(({ name, data = {}, opts }) => ({
      name,
      data,
      options: { ...this.opts.defaultJobOptions, ...opts },
    }));
    for (const { name, options } of added) {
      const problems = jobOptionProblems(options);
      if (problems.length > 0)
        throw new Error(`The job ${name} cannot be added to ${this.name}: ${problems.join('. ')}`);
    }
    const ids = await this.opts.writer.enqueue(this.name, added);
    return added.map((job, i) => new AddedJob(ids[i]!, this.name, job) as unknown as Job);
  }

  /** Nest calls it at the end; there is nothing to close. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** The result of `add`: the job as it was added. BullMQ does not know it yet. */
class AddedJob {
  readonly name: string;
  readonly data: unknown;
  readonly opts: JobsOptions;

  constructor(
    readonly id: string,
    readonly queueName: string,
    { name, data, options }: NewJob,
  ) {
    this.name = name;
    this.data = data;
    this.opts = options;
  }

  toJSON(): object {
    const { id, queueName, name, data, opts } = this;
    return { id, queueName, name, data, opts };
  }
}

/** Replaces BullMQ's class in @nestjs/bullmq: a flow would bypass the outbox. */
export class NoFlowProducer {
  constructor() {
    throw new Error(
      'Flows are not supported; add the next job at the end of process(), in a unit of work with its effect',
    );
  }
}

refuseOtherMembers(
  PlainQueue,
  Queue,
  'processes that add jobs have no connection to the queue; see docs/decisions/0012',
);
refuseOtherMembers(
  AddedJob,
  Job,
  'the job is in the outbox, and a worker may have it already; store results where callers read them',
);

/** Members that only BullMQ's class has throw: an undefined result, or a call without effect, would mislead. */
function refuseOtherMembers(own: { prototype: object }, theirs: { prototype: object }, why: string): void {
  for (
    let proto = theirs.prototype;
    proto !== Object.prototype;
    proto = Object.getPrototypeOf(proto) as object
  ) {
    for (const member of Object.getOwnPropertyNames(proto)) {
      if (member in own.prototype) continue;
      const value = (): never => {
        throw new Error(`${theirs.prototype.constructor.name}.${member} is not supported: ${why}`);
      };
      Object.defineProperty(own.prototype, member, { value, writable: true });
    }
  }
}

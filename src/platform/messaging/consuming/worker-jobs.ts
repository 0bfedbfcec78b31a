import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import {
  DelayedError,
  getNextMillis,
  UnrecoverableError,
  WaitingError,
  type Job,
  type Processor,
  type RepeatOptions,
} from 'bullmq';
import { Settings } from '../../../config/index.js';
import { RequestContext } from '../../context/index.js';
import { Members } from '../../fast/index.js';
import { traceWork, type TracedWork } from '../../observability/index.js';
import { DeadLetters } from '../dead-letters/dead-letters.js';
import { Inbox } from '../inbox/inbox.js';
import { MessagingMetrics, type Outcome } from '../messaging.metrics.js';
import type { EventJob } from '../queues/queues.js';
import { Schedulers } from '../schedules/schedulers.js';
import { Topology, type ScheduleEntry } from '../topology/topology.js';
import { Delivery, eventEnvelope, plainEnvelope, type Envelope } from './delivered-event.js';
import { BackgroundThrottle } from './background-throttle.js';
import { isFinal, isForBullMQ, isTransient } from '../queues/retries.js';

/**
 * Starts of a job that ended with the death of its process before the job counts as the cause. High, because a rollout or a crash
 * for another reason affects whichever jobs are running, again and again.
 */
export const CRASHES_ALLOWED = 25;
/** How many workers get a run that they do not know, one after the other, before it pauses. */
const HANDS_IN_A_ROUND = 10;
const ROUND_EVERY_MS = 5000;
/** How long a worker takes no other job in its place: it would get the same one. */
const HANDED_ON_WITHIN_MS = 100;

/** Pause before each job while background work yields. */
const YIELDING_PAUSE_MS = 100;

interface Running {
  job: Job;
  token: string;
  context: RequestContext;
}

/** Runs the jobs of this process: finds the handler, and decides what happens to a job that fails. */
@Injectable()
export class WorkerJobs {
  private readonly logger = new Logger(WorkerJobs.name);
  private readonly running = new Members<Running>();
  private readonly schedulesRunning = new Set<string>();
  private taking = true;

  constructor(
    private readonly topology: Topology,
    private readonly deadLetters: DeadLetters,
    private readonly inbox: Inbox,
    private readonly metrics: MessagingMetrics,
    private readonly schedulers: Schedulers,
    private readonly throttle: BackgroundThrottle,
    @Inject(Settings) private readonly settings: Settings,
  ) {}

  /** Jobs being run. */
  get active(): number {
    return this.running.size;
  }

  /** From now on further jobs go back to the queue unchanged. */
  stopTaking(): void {
    this.taking = false;
  }

  /**
   * Aborts the running jobs: their queries are cancelled, `event.signal` is aborted, and jobs that end then go back to the queue.
   */
  abort(): void {
    for (const { context } of this.running) context.abort('The process is shutting down.');
  }

  /** Puts the jobs that still run back into their queues, for another worker. @returns how many */
  async handBackAll(): Promise<number> {
    const jobs = [...this.running];
    await Promise.all(jobs.map(({ job, token }) => job.moveToWait(token)));
    return jobs.length;
  }

  /**
   * Runs one job; called by BullMQ. The error that it throws tells BullMQ what to do next.
   * @param process of a plain `@Processor`; events and scheduled runs have methods
   */
  async run(queue: string, job: Job, token: string, process: Processor): Promise<unknown> {
    // One job after another still takes a third of two cores: each costs more alone than among others.
    if (this.throttle.isOn) await delay(YIELDING_PAUSE_MS);
    if (!this.taking) await this.handBack(job, token);
    const envelope = job.repeatJobKey === undefined ? this.open(queue, job as Job<EventJob>) : undefined;
    const context = new RequestContext(envelope?.requestId ?? job.id ?? job.name, Infinity);
    const running = { job, token, context };
    this.running.add(running);
    try {
      return await context.run(() =>
        envelope
          ? traceWork(deliverySpan(queue, job, envelope), () =>
              this.deliver(queue, job, token, envelope, context, process),
            )
          : traceWork({ name: `run ${job.name}` }, () => this.runSchedule(job, token, context)),
      );
    } finally {
      this.running.delete(running);
    }
  }

  private open(queue: string, job: Job<EventJob>): Envelope {
    const consumer = this.topology.consumers.get(queue);
    if (!consumer) return plainEnvelope(job);
    // The handling worker decides how often an event is tried, not the relaying one.
    const { attempts = consumer.attempts, backoff = consumer.backoff } =
      consumer.handlers.get(job.name) ?? {};
    if (attempts !== undefined) job.opts.attempts = attempts;
    // BullMQ reads a number as milliseconds only while it makes a job.
    if (backoff !== undefined)
      job.opts.backoff = typeof backoff === 'number' ? { type: 'fixed', delay: backoff } : backoff;
    return eventEnvelope(job);
  }

  private async deliver(
    queue: string,
    job: Job,
    token: string,
    envelope: Envelope,
    context: RequestContext,
    process: Processor,
  ): Promise<unknown> {
    const attempts = job.opts.attempts ?? this.settings.messaging.attempts;
    const event = new Delivery(envelope, job.name, queue, job.attemptsMade + 1, attempts, context);
    const startedAt = performance.now();
    if (event.attempt === 1) this.throttle.handling(Date.now() - envelope.occurredAt);
    let outcome: Outcome = 'handled';
    try {
      // Not starts that came to no end: a job that moves itself, or is handed back by a deploy, has many of those.
      if (job.stalledCounter > CRASHES_ALLOWED)
        throw new UnrecoverableError(`The process died ${job.stalledCounter} times while it ran this job`);
      const consumer = this.topology.consumers.get(queue);
      if (!consumer) return await this.once(event, envelope, () => process(job, token, event.signal));
      const handler = consumer.handlers.get(job.name);
      // During a rollout an old worker may get a job that only the new one knows.
      if (!handler) throw new NoHandlerError(queue, job.name);
      return await handler.run(event);
    } catch (error) {
      if (isForBullMQ(error)) {
        outcome = 'handed-back';
        throw error;
      }
      if (context.abandoned) {
        outcome = 'handed-back';
        await this.handBack(job, token);
      }
      outcome = await this.failed(event, envelope, error);
      // BullMQ retries, unless it is told that a retry cannot help.
      throw outcome === 'dead' ? new UnrecoverableError(messageOf(error)) : error;
    } finally {
      this.metrics.delivered(job.name, queue, outcome, startedAt, envelope.occurredAt);
    }
  }

  /** A plain processor does not use the inbox: its return is recorded for it, so that a late redelivery does not run it again. */
  private async once(event: Delivery, { isOurs }: Envelope, work: () => Promise<unknown>): Promise<unknown> {
    if (!isOurs) return await work();
    if (await this.inbox.seen(event)) return undefined;
    const result = await work();
    await this.inbox.record(event);
    return result;
  }

  private async failed(event: Delivery, { options }: Envelope, error: unknown): Promise<Outcome> {
    const details = {
      event: event.name,
      eventId: event.id,
      consumer: event.consumer,
      attempt: event.attempt,
      err: error,
    };
    // A handler's error shows by its class whether it is temporary. A plain processor throws what its libraries throw: only
    // errors known to be final count as final.
    const mayPass = options ? !isFinal(error) : isTransient(error) || error instanceof NoHandlerError;
    if (mayPass && event.attempt < event.attempts) {
      this.logger.warn(details, 'An event could not be handled and will be retried');
      return 'retried';
    }
    try {
      await this.deadLetters.record(event, error, options);
      this.logger.error(details, 'An event could not be handled and is now a dead letter');
      return 'dead';
    } catch (recordError) {
      // Not lost: the job is retried, and when it has no attempts left, the event is due for redelivery.
      this.logger.error({ ...details, recordErr: recordError }, 'A dead letter could not be written');
      return 'retried';
    }
  }

  private async runSchedule(job: Job, token: string, context: RequestContext): Promise<void> {
    const schedule = this.topology.schedules.get(job.name);
    if (!schedule) {
      await this.leaveToOthers(job, token);
    } else if (job.stalledCounter > CRASHES_ALLOWED) {
      this.logger.error(
        { schedule: job.name },
        'A scheduled run was abandoned: the process died too often while it ran',
      );
    } else if (!this.schedulesRunning.has(job.name)) {
      await this.runOnce(schedule, job, token, context);
    }
  }

  /**
   * During a rollout another version knows it; if it were finished here, an hourly run would not take place. So it circulates
   * until the next one is due, which makes up for it (counted, because the clocks of workers differ). It goes back to the waiting
   * jobs, because Redis gives those to the worker that has waited longest. A delayed job goes to the oldest connection of those
   * that wake up when it is due: old workers passed one among themselves 53 times, past the new worker that knew it.
   */
  private async leaveToOthers(job: Job, token: string): Promise<void> {
    if (job.attemptsStarted % HANDS_IN_A_ROUND !== 0) {
      await job.moveToWait(token);
      await delay(HANDED_ON_WITHIN_MS);
      throw new WaitingError();
    }
    if ((job.attemptsStarted / HANDS_IN_A_ROUND) * ROUND_EVERY_MS < intervalOf(job)) {
      await job.moveToDelayed(Date.now() + ROUND_EVERY_MS, token);
      throw new DelayedError();
    }
    this.logger.warn(
      { schedule: job.name },
      'This version has no handler for a scheduled job; the run is skipped',
    );
  }

  private async runOnce(
    { name, run }: ScheduleEntry,
    job: Job,
    token: string,
    context: RequestContext,
  ): Promise<void> {
    this.schedulesRunning.add(name);
    try {
      await run();
      this.metrics.scheduled.inc({ name, outcome: 'done' });
      await this.schedulers.ran(name).catch(() => undefined);
    } catch (error) {
      // Given up half-way, with its next run a day ahead perhaps: another worker does it.
      if (context.abandoned) await this.handBack(job, token);
      this.metrics.scheduled.inc({ name, outcome: 'failed' });
      this.logger.error(
        { schedule: name, err: error },
        'A scheduled run failed; the next one takes place as scheduled',
      );
    } finally {
      this.schedulesRunning.delete(name);
    }
  }

  private async handBack(job: Job, token: string): Promise<never> {
    await job.moveToWait(token);
    // Tells BullMQ that this worker no longer finishes the job.
    throw new WaitingError();
  }
}

class NoHandlerError extends Error {
  constructor(queue: string, event: string) {
    super(`This version has no handler for ${event} on the queue ${queue}`);
    this.name = 'NoHandlerError';
  }
}

/** Milliseconds from when a run was due to when the next one is. BullMQ puts the schedule's options on each run, but not into their type. */
function intervalOf({ opts, timestamp }: Job): number {
  const { every = 0, pattern, tz } = (opts as { repeat?: RepeatOptions }).repeat ?? {};
  if (pattern === undefined) return every;
  // Of the run itself, despite its name.
  const { prevMillis: due = timestamp } = opts;
  return getNextMillis(due, { pattern, tz })! - due;
}

function deliverySpan(queue: string, job: Job, { trace }: Envelope): TracedWork {
  const attributes = {
    'messaging.system': 'bullmq',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': queue,
    'messaging.message.id': job.id,
    'app.attempt': job.attemptsMade + 1,
  };
  return { name: `process ${job.name}`, attributes, traceparent: trace };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { DelayedError, UnrecoverableError, WaitingError, type Job, type RepeatOptions } from 'bullmq';
import { Settings } from '../../../config/index.js';
import { RequestContext } from '../../context/index.js';
import { Members } from '../../runtime/index.js';
import { traceWork, type TracedWork } from '../../observability/index.js';
import { DeadLetters } from '../dead-letters/dead-letters.js';
import { MessagingMetrics, type Outcome } from '../messaging.metrics.js';
import type { EventJob } from '../queues/queues.js';
import { Schedulers } from '../schedules/schedulers.js';
import { Topology, type ScheduleEntry } from '../topology/topology.js';
import { Delivery } from './delivered-event.js';
import type { JobRunner } from '../topology/event-consumer.js';
import { GivingWay } from './giving-way.js';
import { isTransient } from '../queues/retries.js';

/**
 * Starts of a job that ended with the death of its process, before it is taken for the cause. High, because a rollout
 * or a crash for another reason hits whatever happens to run, again and again.
 */
export const CRASHES_ALLOWED = 25;
/** How many workers are handed a run that they do not know, one after the other, before it rests. */
const HANDS_IN_A_ROUND = 10;
const ROUND_EVERY_MS = 5000;
/** How long a worker takes no other job in its place: it would be the same one. */
const HANDED_ON_WITHIN_MS = 100;

/** Rest before each job while background work gives way. */
const YIELDING_PAUSE_MS = 100;

interface Running {
  job: Job;
  token: string;
  context: RequestContext;
}

/** Runs the jobs of this process: finds the handler, and decides what becomes of a job that fails. */
@Injectable()
export class WorkerJobs implements JobRunner {
  private readonly logger = new Logger(WorkerJobs.name);
  private readonly running = new Members<Running>();
  private readonly schedulesRunning = new Set<string>();
  private taking = true;

  constructor(
    private readonly topology: Topology,
    private readonly deadLetters: DeadLetters,
    private readonly metrics: MessagingMetrics,
    private readonly schedulers: Schedulers,
    private readonly givingWay: GivingWay,
    @Inject(Settings) private readonly settings: Settings,
  ) {}

  /** Jobs being run. */
  get active(): number {
    return this.running.size;
  }

  /** From now on jobs that still come in go back untouched. */
  stopTaking(): void {
    this.taking = false;
  }

  /** Gives up what is being run: queries are cancelled, `event.signal` is aborted, and what ends then goes back. */
  abort(): void {
    for (const { context } of this.running) context.abort('The process is ending.');
  }

  /** Puts what is still being run back into its queue, for another worker. @returns how many */
  async handBackAll(): Promise<number> {
    const jobs = [...this.running];
    await Promise.all(jobs.map(({ job, token }) => job.moveToWait(token)));
    return jobs.length;
  }

  /** Runs one job; called by BullMQ. What it throws tells BullMQ what to do next. */
  async run(queue: string, job: Job, token: string): Promise<void> {
    // One job after another is still a third of two cores: each costs more alone than among others.
    if (this.givingWay.isOn) await delay(YIELDING_PAUSE_MS);
    if (!this.taking) await this.handBack(job, token);
    const context = new RequestContext(requestIdOf(job), Infinity);
    const running = { job, token, context };
    this.running.add(running);
    try {
      await context.run(() =>
        job.repeatJobKey === undefined
          ? traceWork(deliverySpan(queue, job as Job<EventJob>), () =>
              this.deliver(queue, job as Job<EventJob>, token, context),
            )
          : traceWork({ name: `run ${job.name}` }, () => this.runSchedule(job, token)),
      );
    } finally {
      this.running.delete(running);
    }
  }

  private async deliver(
    queue: string,
    job: Job<EventJob>,
    token: string,
    context: RequestContext,
  ): Promise<void> {
    const event = new Delivery(job, queue, context);
    const startedAt = performance.now();
    if (event.attempt === 1) this.givingWay.handling(Date.now() - job.data.occurredAt);
    let outcome: Outcome = 'handled';
    try {
      // Counted before the run, so that a job that takes its process with it counts as well.
      if (crashesOf(job) > CRASHES_ALLOWED)
        throw new Error(`The process died ${crashesOf(job)} times while it ran this job`);
      const handler = this.topology.consumers.get(queue)?.handlers.get(job.name);
      // During a rollout an old worker may be handed what only the new one knows.
      if (!handler) throw new NoHandlerError(queue, job.name);
      await handler(event);
    } catch (error) {
      if (context.abandoned) {
        outcome = 'handed-back';
        await this.handBack(job, token);
      }
      outcome = await this.failed(job, event, error);
      // BullMQ tries again, unless it is told that this cannot help.
      throw outcome === 'dead' ? new UnrecoverableError(messageOf(error)) : error;
    } finally {
      this.metrics.delivered(job.name, queue, outcome, startedAt, job.data.occurredAt);
    }
  }

  private async failed(job: Job, event: Delivery, error: unknown): Promise<Outcome> {
    const details = {
      event: event.name,
      eventId: event.id,
      consumer: event.consumer,
      attempt: event.attempt,
      err: error,
    };
    const attempts = job.opts.attempts ?? this.settings.messaging.attempts;
    if ((isTransient(error) || error instanceof NoHandlerError) && event.attempt < attempts) {
      this.logger.warn(details, 'An event could not be handled; it will be tried again');
      return 'retried';
    }
    try {
      await this.deadLetters.record(event, error, event.attempt);
      this.logger.error(details, 'An event could not be handled and is now a dead letter');
      return 'dead';
    } catch (recordError) {
      // Not lost: the job is tried again, and when it has no attempts left, the event is due for redelivery.
      this.logger.error(
        { ...details, recordErr: recordError },
        'An event could not be handled, nor its dead letter written',
      );
      return 'retried';
    }
  }

  private async runSchedule(job: Job, token: string): Promise<void> {
    const schedule = this.topology.schedules.get(job.name);
    if (!schedule) {
      await this.leaveToOthers(job, token);
    } else if (job.stalledCounter > CRASHES_ALLOWED) {
      // Not `crashesOf`: offers of workers that do not know the run are starts as well, thousands of them during a long rollout.
      this.logger.error(
        { schedule: job.name },
        'A scheduled run was given up: the process died too often while it ran',
      );
    } else if (!this.schedulesRunning.has(job.name)) {
      await this.runOnce(schedule);
    }
  }

  /**
   * During a rollout another version knows it; finished here, a run that comes once an hour would not take place. So it goes round
   * until the next one is due, which makes up for it (counted, because the clocks of workers differ). It goes back to the waiting
   * jobs, as Redis gives those to the worker that has waited longest. A delayed one goes to the oldest connection of those
   * that wake up when it is due: old workers passed it among themselves 53 times, past the new one that knew it.
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
    this.logger.warn({ schedule: job.name }, 'No worker here knows a scheduled job; this run is skipped');
  }

  private async runOnce({ name, run }: ScheduleEntry): Promise<void> {
    this.schedulesRunning.add(name);
    try {
      await run();
      this.metrics.scheduled.inc({ name, outcome: 'done' });
      await this.schedulers.ran(name).catch(() => undefined);
    } catch (error) {
      this.metrics.scheduled.inc({ name, outcome: 'failed' });
      this.logger.error({ schedule: name, err: error }, 'A scheduled run failed; the next one is on its way');
    } finally {
      this.schedulesRunning.delete(name);
    }
  }

  private async handBack(job: Job, token: string): Promise<never> {
    await job.moveToWait(token);
    // Tells BullMQ that the job is no longer ours to finish.
    throw new WaitingError();
  }
}

class NoHandlerError extends Error {
  constructor(queue: string, event: string) {
    super(`This version has no handler for ${event} on the queue ${queue}`);
    this.name = 'NoHandlerError';
  }
}

/** Starts of which nothing was heard again: neither a success nor a failure. */
function crashesOf(job: Job): number {
  return job.attemptsStarted - 1 - job.attemptsMade;
}

/** Milliseconds between the runs of a schedule. BullMQ puts its options on each run, but not into their type. */
function intervalOf(job: Job): number {
  return (job.opts as { repeat?: RepeatOptions }).repeat?.every ?? 0;
}

function deliverySpan(queue: string, job: Job<EventJob>): TracedWork {
  const attributes = {
    'messaging.system': 'bullmq',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': queue,
    'messaging.message.id': job.id,
    'app.attempt': job.attemptsMade + 1,
  };
  return { name: `process ${job.name}`, attributes, traceparent: job.data.trace ?? null };
}

function requestIdOf(job: Job): string {
  return (job.data as Partial<EventJob> | undefined)?.requestId ?? job.id ?? job.name;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

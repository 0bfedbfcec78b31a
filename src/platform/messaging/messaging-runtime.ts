import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { BullModule, BullRegistrar } from '@nestjs/bullmq';
import type { Worker } from 'bullmq';
import { Settings } from '../../config/index.js';
import { HealthRegistry } from '../health/index.js';
import { BackgroundThrottle } from './consuming/background-throttle.js';
import { workerClass } from './consuming/worker-class.js';
import { WorkerJobs } from './consuming/worker-jobs.js';
import { MessagingMetrics } from './messaging.metrics.js';
import { BacklogMeter } from './relay/backlog-meter.js';
import type { Backlog } from './outbox/outbox.repository.js';
import { Relay } from './relay/relay.js';
import { isReply } from '../redis/index.js';
import { OutageLog, within } from '../runtime/index.js';
import { QueueConnections } from './queues/queue-connections.js';
import { Topology } from './topology/topology.js';

/** Share of the drain in which jobs may end by themselves, before they are aborted. */
const UNDISTURBED_SHARE = 0.7;
const HAND_BACK_TIMEOUT_MS = 1000;
/** How long Redis may take to record that a job has ended. */
const RECORD_TIMEOUT_MS = 1000;
const SAME_ERROR_AGAIN_AFTER_MS = 10_000;

export interface MessagingStatus {
  state: 'idle' | 'running' | 'draining' | 'closed';
  /** Why the relay does not make progress, if it does not. */
  relayProblem?: string;
  backlog?: Backlog;
  activeJobs: number;
}

/**
 * The background half of messaging in the worker process. Nothing runs before `start`; at the end lifecycle calls `stopTaking`,
 * `drain` and `close`. Each is bounded, whatever state Redis and PostgreSQL are in.
 */
@Injectable()
export class MessagingRuntime implements BeforeApplicationShutdown {
  private readonly logger = new Logger(MessagingRuntime.name);
  private readonly workers: Worker[] = [];
  private readonly errors = new OutageLog(this.logger, {
    begins: 'A worker reports an error',
    endsAfterMs: SAME_ERROR_AGAIN_AFTER_MS,
  });
  private state: MessagingStatus['state'] = 'idle';
  private relayStopped: Promise<void> = Promise.resolve();

  constructor(
    private readonly topology: Topology,
    private readonly registrar: BullRegistrar,
    private readonly connections: QueueConnections,
    private readonly relay: Relay,
    private readonly meter: BacklogMeter,
    private readonly throttle: BackgroundThrottle,
    private readonly jobs: WorkerJobs,
    private readonly metrics: MessagingMetrics,
    private readonly health: HealthRegistry,
    @Inject(Settings) private readonly settings: Settings,
  ) {}

  /**
   * Starts relaying, running jobs and keeping schedules. Does not wait for Redis: work that needs it starts when it is up.
   * @throws TopologyError when plain queues and their processors do not fit together
   */
  start(): void {
    if (this.state !== 'idle') throw new Error(`Messaging cannot be started in the state ${this.state}`);
    this.state = 'running';
    // First: a worker treats the failure of a connection that it has started itself as its end.
    this.connections.open();
    BullModule.workerClass = workerClass(this.connections.consumer, this.settings, this.jobs, this.workers);
    this.registrar.register();
    for (const worker of this.workers) this.watch(worker);
    this.topology.requireWorkers(this.workers.map(({ name }) => name));
    this.health.checks.push({ name: 'queues', essential: false, check: () => this.check() });
    for (const worker of this.workers)
      worker.run().catch((error: unknown) => this.report(worker.name, error));
    this.relay.start();
    this.meter.start();
    this.throttle.start((yielding) => this.setConcurrency(yielding));
  }

  /** At the signal: claims and fetches nothing more. Does not wait; running jobs go on. */
  stopTaking(): void {
    if (this.state !== 'running') return;
    this.state = 'draining';
    this.throttle.stop();
    this.jobs.stopTaking();
    this.relayStopped = this.relay.stop();
    for (const worker of this.workers) {
      const idle = worker.pause(true).then(() => worker.getBackend().disconnectBlocking(false));
      idle.catch((error: unknown) => this.report(worker.name, error));
    }
  }

  /**
   * Lets running jobs end, aborts them when most of the time is over, and puts the rest back into the queue. If that fails too,
   * because Redis is down, another worker takes the job over once its lock expires.
   */
  async drain(timeoutMs: number): Promise<void> {
    this.stopTaking();
    if (this.state !== 'draining') return;
    const started = performance.now();
    if (!(await this.jobsEnded(started + timeoutMs * UNDISTURBED_SHARE))) {
      this.logger.warn({ activeJobs: this.jobs.active }, 'Jobs are still running; aborting them');
      this.jobs.abort();
      if (!(await this.jobsEnded(started + timeoutMs - HAND_BACK_TIMEOUT_MS))) await this.handBack();
    }
    const remainingMs = started + timeoutMs - performance.now();
    // A batch that is still being relayed is claimed, and is relayed again when its lease is over.
    await within(Math.max(remainingMs, 0), this.relayStopped).catch(() => undefined);
    // By force, because BullMQ's orderly close waits without a limit for a Redis that is down; the jobs that it would wait for
    // are done.
    await Promise.all(this.workers.map((worker) => worker.close(true)));
  }

  /** Closes the connections to Redis. */
  async close(): Promise<void> {
    if (this.state === 'running') await this.drain(0);
    this.state = 'closed';
    this.meter.stop();
    this.connections.close();
  }

  /** For health and diagnosis. */
  status(): MessagingStatus {
    return {
      state: this.state,
      relayProblem: this.relay.problem,
      backlog: this.meter.last,
      activeJobs: this.jobs.active,
    };
  }

  /** For processes without lifecycle (tests): before Nest closes the workers without a limit. */
  async beforeApplicationShutdown(): Promise<void> {
    if (this.state === 'closed') return;
    await this.drain(5000);
    await this.close();
  }

  private async check(): Promise<Record<string, unknown>> {
    await this.connections.ping();
    if (this.relay.problem) throw new Error(this.relay.problem);
    return { ...this.status() };
  }

  /** @returns whether all jobs ended, and Redis knows, before `deadline`, which is on `performance.now()`'s clock */
  private async jobsEnded(deadline: number): Promise<boolean> {
    let idleSince: number | undefined;
    while (this.workers.some((worker) => worker.isRunning())) {
      const now = performance.now();
      if (this.jobs.active > 0) idleSince = undefined;
      // No job runs, and yet a worker waits: for a Redis that is down.
      else if (now - (idleSince ??= now) > RECORD_TIMEOUT_MS) return true;
      if (now >= deadline) return false;
      await delay(10);
    }
    return true;
  }

  private async handBack(): Promise<void> {
    try {
      const jobs = await within(HAND_BACK_TIMEOUT_MS, this.jobs.handBackAll());
      this.logger.warn({ jobs }, 'Jobs that did not finish were returned to their queues');
    } catch (error) {
      this.logger.warn(
        { err: error },
        'Jobs that did not finish were abandoned; other workers will take them over',
      );
    }
  }

  private setConcurrency(yielding: boolean): void {
    for (const worker of this.workers) worker.concurrency = yielding ? 1 : worker.opts.concurrency!;
  }

  private watch(worker: Worker): void {
    worker.on('error', (error) => this.report(worker.name, error));
    worker.on('stalled', (jobId) => {
      this.metrics.stalled.inc({ queue: worker.name });
      this.logger.warn(
        { queue: worker.name, jobId },
        'A job was taken over from a worker that died or froze',
      );
    });
  }

  /**
   * During an outage every job of every worker reports the same error: only the first is logged, until there was none for a
   * while. Errors of Redis are distinguished by their code, because the rest of a message names the script that it rejected.
   */
  private report(queue: string, error: unknown): void {
    const { message } = error as Error;
    const kind = isReply(error)
      ? message.split(' ', 1)[0]!
      : `${queue}: ${message.replace(/[0-9a-f-]{36}/g, '')}`;
    this.errors.failed(error, { kind, details: { queue } });
  }
}

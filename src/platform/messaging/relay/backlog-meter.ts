import { Injectable } from '@nestjs/common';
import { DeadLetters } from '../dead-letters/dead-letters.js';
import { MessagingMetrics } from '../messaging.metrics.js';
import { QueueConnections } from '../queues/queue-connections.js';
import { Schedulers } from '../schedules/schedulers.js';
import { OutboxRepository, type Backlog } from '../outbox/outbox.repository.js';

const EVERY_MS = 2000;

/** Keeps the gauges of the backlog up to date. It has its own timer: measured by the relay, they stood still when it did. */
@Injectable()
export class BacklogMeter {
  private timer?: NodeJS.Timeout;
  private stopped = true;
  private measured?: Backlog;

  constructor(
    private readonly outbox: OutboxRepository,
    private readonly deadLetters: DeadLetters,
    private readonly connections: QueueConnections,
    private readonly schedulers: Schedulers,
    private readonly metrics: MessagingMetrics,
  ) {}

  /** As of a few seconds ago; undefined before the first measurement. */
  get last(): Backlog | undefined {
    return this.measured;
  }

  /** Measures every two seconds, until `stop`. */
  start(): void {
    this.stopped = false;
    void this.measure();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private async measure(): Promise<void> {
    for (const [name, seconds] of this.schedulers.ages()) this.metrics.scheduleAge.set({ name }, seconds);
    // Each separately: a failed dependency of one must not silence the other.
    await Promise.allSettled([this.measureQueues(), this.measureOutbox()]);
    if (!this.stopped) this.timer = setTimeout(() => void this.measure(), EVERY_MS).unref();
  }

  private async measureQueues(): Promise<void> {
    const up = await this.connections.ping().then(
      () => 1,
      () => 0,
    );
    this.metrics.redisUp.set(up);
  }

  /** While PostgreSQL is down the last figures stand; its own metrics and readiness report it. */
  private async measureOutbox(): Promise<void> {
    this.measured = await this.outbox.backlog();
    this.metrics.pending.set(this.measured.pending);
    this.metrics.lag.set(this.measured.lagSeconds);
    this.metrics.deadLetters.set(await this.deadLetters.count());
  }
}

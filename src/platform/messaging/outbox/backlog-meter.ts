import { Injectable } from '@nestjs/common';
import { DeadLetters } from '../dead-letters/dead-letters.js';
import { MessagingMetrics } from '../messaging.metrics.js';
import { OutboxRepository, type Backlog } from './outbox.repository.js';

const EVERY_MS = 5000;

/** Keeps the gauges of what waits up to date. */
@Injectable()
export class BacklogMeter {
  private nextAt = 0;
  private measured?: Backlog;

  constructor(
    private readonly outbox: OutboxRepository,
    private readonly deadLetters: DeadLetters,
    private readonly metrics: MessagingMetrics,
  ) {}

  /** As of a few seconds ago; undefined before the first measurement. */
  get last(): Backlog | undefined {
    return this.measured;
  }

  /** Measures, when it is time to. @param now milliseconds of the clock that it is called with each time */
  async run(now: number): Promise<void> {
    if (now < this.nextAt) return;
    this.nextAt = now + EVERY_MS;
    this.measured = await this.outbox.backlog();
    this.metrics.pending.set(this.measured.pending);
    this.metrics.lag.set(this.measured.lagSeconds);
    this.metrics.deadLetters.set(await this.deadLetters.count());
  }
}

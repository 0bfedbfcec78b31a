import { Inject, Injectable, Logger } from '@nestjs/common';
import { Settings } from '../../../config/index.js';
import { MessagingMetrics } from '../messaging.metrics.js';
import { OutboxRepository } from '../outbox/outbox.repository.js';

const BATCH = 1000;

/**
 * Follows up relayed events: settles those that every consumer has recorded and puts the others back. It covers, with one
 * rule, a delay that is over, a relay killed between claim and queue, a queue that lost its data, and a dead letter that could not be written.
 */
@Injectable()
export class Redelivery {
  private readonly logger = new Logger(Redelivery.name);
  private readonly everyMs: number;
  private nextAt = 0;
  private lostAt?: Date;

  constructor(
    private readonly outbox: OutboxRepository,
    private readonly metrics: MessagingMetrics,
    @Inject(Settings) { messaging }: Settings,
  ) {
    this.everyMs = Math.min(Math.max(messaging.redeliveryAfterMs / 10, 50), 3000);
  }

  /** The queues are empty: all that was relayed before is due at once. @param at by PostgreSQL's clock */
  queuesLost(at: Date): void {
    this.lostAt = at;
    this.nextAt = 0;
  }

  /**
   * Checks one batch, when it is due.
   * @param now milliseconds of the clock that it is called with each time
   * @returns how many events wait for the relay now, and whether more are due.
   */
  async run(now: number): Promise<{ due: number; more: boolean }> {
    if (now < this.nextAt) return { due: 0, more: false };
    this.nextAt = now + this.everyMs;
    const { checked, due, redelivered } = await this.outbox.settle(BATCH, this.lostAt);
    if (redelivered > 0) {
      this.metrics.redelivered.inc(redelivered);
      this.logger.warn({ events: redelivered }, 'Relaying events again that no consumer has recorded');
    }
    const more = checked === BATCH;
    if (more) this.nextAt = 0;
    else this.lostAt = undefined;
    return { due, more };
  }
}

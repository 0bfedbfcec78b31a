import { Injectable, Logger } from '@nestjs/common';
import { OutboxRepository } from '../outbox/outbox.repository.js';
import { Redelivery } from './redelivery.js';
import { DataLossDetector } from '../queues/data-loss-detector.js';
import { Schedulers } from '../schedules/schedulers.js';

const EVERY_MS = 2000;
const MEND_EVERY_MS = 5000;

/** Ensures that Redis holds the job schedulers, and all events again after it has lost them. */
@Injectable()
export class QueueUpkeep {
  private readonly logger = new Logger(QueueUpkeep.name);
  private nextAt = 0;
  private mendAt = 0;
  private schedulersDue = true;

  constructor(
    private readonly dataLoss: DataLossDetector,
    private readonly schedulers: Schedulers,
    private readonly redelivery: Redelivery,
    private readonly outbox: OutboxRepository,
  ) {}

  /**
   * Checks Redis, when it is due. A failed check is due again at the next call.
   * @param now milliseconds of the clock that it is called with each time
   * @throws Error when Redis does not answer; `TransientError` when the queues are empty and PostgreSQL is down.
   */
  async run(now: number): Promise<void> {
    if (now < this.nextAt && !this.schedulersDue) return;
    const state = await this.dataLoss.check();
    if (state === 'lost') await this.startEmpty();
    if (state !== 'kept') this.schedulersDue = true;
    if (this.schedulersDue || now >= this.mendAt) {
      await (this.schedulersDue ? this.schedulers.declare() : this.schedulers.mend());
      this.schedulersDue = false;
      this.mendAt = now + MEND_EVERY_MS;
    }
    this.nextAt = now + EVERY_MS;
  }

  /**
   * The time is read before the new mark is set. Other workers relay as soon as they see the mark: with a later time, their first
   * events would count as lost as well, and be delivered twice.
   */
  private async startEmpty(): Promise<void> {
    const lostAt = await this.outbox.now();
    if (!(await this.dataLoss.renew())) return;
    this.logger.log('The queues are empty after a restart of Redis; relaying the lost events again');
    this.redelivery.queuesLost(lostAt);
  }
}

import { Injectable } from '@nestjs/common';
import { Database, UnitOfWork } from '../../database/index.js';
import type { DeliveredEvent } from '../events.js';

type Delivery = Pick<DeliveredEvent, 'id' | 'consumer'>;

/**
 * Remembers which consumer has handled which event. An event is delivered at least once; because the record is part of the
 * effect's transaction, the effect happens once.
 */
@Injectable()
export class Inbox {
  constructor(
    private readonly database: Database,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * Records the event and runs its effect in one unit of work; does nothing when it was recorded before. Of two deliveries at
   * once the second waits for the first to commit (or, when that rolls back, does the work).
   * @returns whether `effect` ran.
   * @throws what `effect` throws, and then nothing is recorded; `TransientError` when PostgreSQL is down.
   */
  once(event: Delivery, effect: () => Promise<void>): Promise<boolean> {
    return this.unitOfWork.run(async () => {
      if (!(await this.record(event))) return false;
      await effect();
      return true;
    });
  }

  /**
   * Whether the effect is already done: check before an effect outside the database, and give that `event.id` as its idempotency
   * key.
   */
  async seen({ id, consumer }: Delivery): Promise<boolean> {
    const rows = await this.database.query({
      name: 'inbox-seen',
      text: 'SELECT 1 FROM inbox WHERE event_id = $1 AND consumer = $2',
      values: [id, consumer],
    });
    return rows.length > 0;
  }

  /**
   * Records that the effect is done, in the open unit of work when there is one (so: with the bookkeeping of the effect).
   * @returns false when it was recorded before.
   */
  async record({ id, consumer }: Delivery): Promise<boolean> {
    const recorded = await this.database.execute({
      name: 'inbox-record',
      text: 'INSERT INTO inbox (event_id, consumer) VALUES ($1, $2) ON CONFLICT DO NOTHING',
      values: [id, consumer],
    });
    return recorded === 1;
  }
}

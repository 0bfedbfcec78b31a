import { Injectable, Logger } from '@nestjs/common';
import { Scheduled } from '../messaging/index.js';
import { IdempotencyRepository } from './idempotency.repository.js';

const BATCH = 1000;
/** Bounds one run; the rest waits for the next. */
const BATCHES_PER_RUN = 100;

/** Deletes expired records, in small statements that hold no lock for long. */
@Injectable()
export class IdempotencySweeper {
  private readonly logger = new Logger(IdempotencySweeper.name);

  constructor(private readonly records: IdempotencyRepository) {}

  @Scheduled({ name: 'sweep-idempotency-records', every: 60_000 })
  async sweep(): Promise<void> {
    let swept = 0;
    let from: Date | undefined;
    for (let batch = 0; batch < BATCHES_PER_RUN; batch++) {
      const { deleted, upTo } = await this.records.sweep(BATCH, from);
      swept += deleted;
      if (deleted < BATCH || !upTo) break;
      // Continue from here: the start of the index is full of records that were just deleted, and stays so under an old snapshot.
      from = upTo;
    }
    if (swept > 0) this.logger.log(`Swept ${swept} expired idempotency records`);
  }
}

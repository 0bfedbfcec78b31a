import { Inject, Injectable, Logger } from '@nestjs/common';
import { Settings } from '../../../config/index.js';
import { Scheduled } from '../topology/decorators.js';
import { OutboxRepository } from './outbox.repository.js';

const HOUR_MS = 3_600_000;
const BATCH = 1000;
const ANY_ID = '00000000-0000-0000-0000-000000000000';

/** Deletes settled events older than `OUTBOX_RETENTION_HOURS`, with their inbox rows. */
@Injectable()
export class OutboxSweep {
  private readonly logger = new Logger(OutboxSweep.name);

  constructor(
    private readonly outbox: OutboxRepository,
    @Inject(Settings) private readonly settings: Settings,
  ) {}

  /** Bounded batches, each its own transaction: vacuum and other writers never wait for long. */
  @Scheduled({ name: 'sweep-outbox', every: 60_000 })
  async sweep(): Promise<void> {
    // By PostgreSQL's clock: a worker whose own is ahead must delete nothing.
    const now = await this.outbox.now();
    const time = new Date(now.getTime() - this.settings.messaging.retentionHours * HOUR_MS);
    const before = { id: lowestIdOf(time), time };
    let swept = 0;
    let from = ANY_ID;
    for (;;) {
      const ids = await this.outbox.sweep(from, before, BATCH);
      swept += ids.length;
      if (ids.length < BATCH) break;
      // Continue from here: the start of the index is full of rows that were just deleted.
      from = ids.reduce((highest, id) => (id > highest ? id : highest), from);
    }
    if (swept > 0) this.logger.log({ events: swept }, 'Old handled events were deleted');
  }
}

/** The lowest UUIDv7 of a moment (RFC 9562 section 5.7: 48 bits of milliseconds first). */
export function lowestIdOf(time: Date): string {
  const hex = time.getTime().toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

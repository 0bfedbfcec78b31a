import { Inject, Injectable, Logger } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { Database } from '../../platform/database/index.js';
import { Scheduled } from '../../platform/messaging/index.js';

const HOUR_MS = 3_600_000;
const BATCH = 1000;

/**
 * Deletes notifications that are older than `NOTIFICATION_RETENTION_DAYS`: each order makes some, and nothing else deletes them.
 */
@Injectable()
export class NotificationsSweep {
  private readonly logger = new Logger(NotificationsSweep.name);
  private readonly retentionDays: number;

  constructor(
    private readonly database: Database,
    @Inject(Settings) settings: Settings,
  ) {
    this.retentionDays = settings.notifications.retentionDays;
  }

  @Scheduled({ name: 'sweep-notifications', every: HOUR_MS })
  async sweep(): Promise<void> {
    let swept = 0;
    for (;;) {
      const deleted = await this.deleteOld();
      swept += deleted;
      if (deleted < BATCH) break;
    }
    if (swept > 0) this.logger.log({ notifications: swept }, 'Old notifications were deleted');
  }

  /** By the time in the ids, so that it needs no index of its own. @returns how many: a batch at most, so that no statement takes long */
  private deleteOld(): Promise<number> {
    return this.database.execute({
      text: `DELETE FROM notifications WHERE id IN (
        SELECT id FROM notifications WHERE id < uuidv7(make_interval(days => -$1::int)) ORDER BY id LIMIT $2)`,
      values: [this.retentionDays, BATCH],
    });
  }
}

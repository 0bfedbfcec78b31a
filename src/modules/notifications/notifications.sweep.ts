import { Inject, Injectable, Logger } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { Scheduled } from '../../platform/messaging/index.js';
import { NotificationsRepository } from './notifications.repository.js';

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
    private readonly notifications: NotificationsRepository,
    @Inject(Settings) settings: Settings,
  ) {
    this.retentionDays = settings.notifications.retentionDays;
  }

  @Scheduled({ name: 'sweep-notifications', every: HOUR_MS })
  async sweep(): Promise<void> {
    let swept = 0;
    for (;;) {
      const deleted = await this.notifications.deleteOlderThan(this.retentionDays, BATCH);
      swept += deleted;
      if (deleted < BATCH) break;
    }
    if (swept > 0) this.logger.log({ notifications: swept }, 'Old notifications were swept');
  }
}

import { Injectable } from '@nestjs/common';
import { Database, newId } from '../../platform/database/index.js';
import type { NotificationStatus } from './notification.entity.js';

export interface NewNotification {
  eventId: string;
  userId: string;
  kind: string;
  subject: string;
  recipient: string;
}

export interface NotificationRow {
  id: string;
  kind: string;
  subject: string;
  status: NotificationStatus;
  createdAt: Date;
  sentAt: Date | null;
}

@Injectable()
export class NotificationsRepository {
  constructor(private readonly database: Database) {}

  /**
   * Records that this event causes a mail, or finds the record of an earlier delivery of the event.
   * @returns the state of the mail.
   */
  async open({ eventId, userId, kind, subject, recipient }: NewNotification): Promise<NotificationStatus> {
    const [row] = await this.database.query<{ status: NotificationStatus }>({
      name: 'notifications-open',
      // The update that changes nothing makes RETURNING show the existing row.
      text: `
        INSERT INTO notifications (id, event_id, user_id, kind, subject, recipient, status)
        VALUES ($1, $2, $3, $4, $5, $6, 'pending')
        ON CONFLICT (event_id) DO UPDATE SET event_id = excluded.event_id
        RETURNING status`,
      values: [newId(), eventId, userId, kind, subject, recipient],
    });
    if (!row) throw new Error(`The notification of event ${eventId} was neither inserted nor found`);
    return row.status;
  }

  async markSent(eventId: string): Promise<void> {
    await this.database.execute({
      name: 'notifications-mark-sent',
      text: `UPDATE notifications SET status = 'sent', sent_at = now() WHERE event_id = $1`,
      values: [eventId],
    });
  }

  async markFailed(eventId: string, failure: string): Promise<void> {
    await this.database.execute({
      text: `UPDATE notifications SET status = 'failed', failure = $2 WHERE event_id = $1`,
      values: [eventId, failure],
    });
  }

  /**
   * Deletes notifications by the time in their ids, so that it needs no index of its own.
   * @returns how many: at most `limit`, so that no statement takes long
   */
  deleteOlderThan(days: number, limit: number): Promise<number> {
    return this.database.execute({
      text: `DELETE FROM notifications WHERE id IN (
        SELECT id FROM notifications WHERE id < uuidv7(make_interval(days => -$1::int)) ORDER BY id LIMIT $2)`,
      values: [days, limit],
    });
  }

  /** A user's notifications, newest first: `limit` + 1 of them after the one with id `after`. */
  async page(userId: string, limit: number, after?: string): Promise<NotificationRow[]> {
    return this.database.read<NotificationRow>({
      name: after ? 'notifications-page-after' : 'notifications-page-first',
      text: `
        SELECT id, kind, subject, status, created_at AS "createdAt", sent_at AS "sentAt"
        FROM notifications
        WHERE user_id = $1 ${after ? 'AND id < $3' : ''}
        ORDER BY id DESC LIMIT $2`,
      values: after ? [userId, limit + 1, after] : [userId, limit + 1],
    });
  }
}

import { Inject, Injectable, Logger } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { DataSource, LessThan, Repository, type QueryDeepPartialEntity } from 'typeorm';
import { Settings } from '../../config/index.js';
import { newId } from '../../platform/database/index.js';
import { decodeCursor, pageOf, type Page, type PageQuery } from '../../platform/http/index.js';
import { UsersService } from '../users/index.js';
import type { NotificationDto } from './dto/notification.dto.js';
import { renderMail, type MailKind, type OrderNews } from './mail-templates.js';
import { MailRefusedError, Mailer } from './mailer.js';
import { Notification, type NotificationStatus } from './notification.entity.js';

/** An event about which a user gets a mail. */
export interface News {
  eventId: string;
  kind: MailKind;
  userId: string;
  order: OrderNews;
  /** Of the request that caused it; absent when no user's request has. */
  language?: string | undefined;
}

/** Records how a delivery ended, in the caller's transaction. */
export type Bookkeeping = () => Promise<void>;

@Injectable()
export class NotificationsService {
  private readonly logger = new Logger(NotificationsService.name);

  constructor(
    @InjectRepository(Notification) private readonly notifications: Repository<Notification>,
    private readonly dataSource: DataSource,
    private readonly users: UsersService,
    private readonly mailer: Mailer,
    @Inject(Settings) private readonly settings: Settings,
  ) {}

  async list(userId: string, { limit, cursor }: PageQuery): Promise<Page<NotificationDto>> {
    const [after] = decodeCursor<[string]>(cursor, ['uuid']) ?? [];
    const { manager } = this.dataSource.createQueryRunner('slave');
    const rows = await manager.withRepository(this.notifications).find({
      where: { userId, ...(after !== undefined && { id: LessThan(after) }) },
      order: { id: 'DESC' },
      take: limit + 1,
    });
    return pageOf(rows, limit, ({ id }) => [id], present);
  }

  /**
   * Sends the mail about an event, unless an earlier delivery of the event has done so.
   * @returns what to record now, or undefined when it is already recorded. Until it is committed the
   *   event will be delivered again and the mail sent again, with the same Message-ID.
   * @throws TransientError when the mail server or the database is down: the notification stays `pending`, also when
   *   the event becomes a dead letter, for a replay of it sends the mail after all.
   */
  async deliver({ eventId, kind, userId, order, language }: News): Promise<Bookkeeping | undefined> {
    const recipient = await this.users.contactOf(userId);
    const content = renderMail(kind, recipient.name, order, this.settings.app.title, language);
    const { subject } = content;
    const status = await this.open({ eventId, userId, kind, subject, recipient: recipient.email });
    if (status !== 'pending') return undefined;
    try {
      await this.mailer.send({ id: eventId, recipient, ...content });
    } catch (error) {
      if (!(error instanceof MailRefusedError)) throw error;
      this.logger.warn({ err: error, eventId }, 'A mail was rejected permanently');
      return () => this.record(eventId, { status: 'failed', failure: error.reply });
    }
    return () => this.record(eventId, { status: 'sent', sentAt: () => 'now()' });
  }

  /** Records that an event causes a mail, or finds the record of an earlier delivery. @returns the state of the mail */
  private async open(mail: Partial<Notification> & { eventId: string }): Promise<NotificationStatus> {
    const row = { ...mail, id: newId(), status: 'pending' as const };
    await this.notifications
      .createQueryBuilder()
      .insert()
      .values(row)
      .orIgnore()
      .updateEntity(false)
      .execute();
    return (await this.notifications.findOneByOrFail({ eventId: mail.eventId })).status;
  }

  private async record(eventId: string, outcome: QueryDeepPartialEntity<Notification>): Promise<void> {
    await this.notifications.update({ eventId }, outcome);
  }
}

function present({ id, kind, subject, status, createdAt, sentAt }: Notification): NotificationDto {
  return {
    id,
    kind,
    subject,
    status,
    createdAt: createdAt.toISOString(),
    sentAt: sentAt?.toISOString() ?? null,
  };
}

import { Inject, Injectable, Logger } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { decodeCursor, pageOf, type Page, type PageQuery } from '../../platform/http/index.js';
import { UsersService } from '../users/index.js';
import type { NotificationDto } from './dto/notification.dto.js';
import { renderMail, type MailKind, type OrderNews } from './mail-templates.js';
import { MailRefusedError, Mailer } from './mailer.js';
import { NotificationsRepository, type NotificationRow } from './notifications.repository.js';

/** An event about which a user gets a mail. */
export interface News {
  eventId: string;
  kind: MailKind;
  userId: string;
  order: OrderNews;
}

/** Records how a delivery ended, in the caller's transaction. */
export type Bookkeeping = () => Promise<void>;

@Injectable()
export class NotificationsService {
  private readonly logger = new Logger(NotificationsService.name);

  constructor(
    private readonly notifications: NotificationsRepository,
    private readonly users: UsersService,
    private readonly mailer: Mailer,
    @Inject(Settings) private readonly settings: Settings,
  ) {}

  async list(userId: string, { limit, cursor }: PageQuery): Promise<Page<NotificationDto>> {
    const [after] = decodeCursor<[string]>(cursor, ['uuid']) ?? [];
    return pageOf(await this.notifications.page(userId, limit, after), limit, ({ id }) => [id], present);
  }

  /**
   * Sends the mail about an event, unless an earlier delivery of the event has done so.
   * @returns what to record now, or undefined when it is already recorded. Until it is committed the
   *   event will be delivered again and the mail sent again, with the same Message-ID.
   * @throws TransientError when the mail server or the database is down: the notification stays `pending`, also when
   *   the event becomes a dead letter, for a replay of it sends the mail after all.
   */
  async deliver({ eventId, kind, userId, order }: News): Promise<Bookkeeping | undefined> {
    const recipient = await this.users.contactOf(userId);
    const content = renderMail(kind, recipient.name, order, this.settings.app.title);
    const status = await this.notifications.open({
      eventId,
      userId,
      kind,
      subject: content.subject,
      recipient: recipient.email,
    });
    if (status !== 'pending') return undefined;
    try {
      await this.mailer.send({ id: eventId, recipient, ...content });
    } catch (error) {
      if (!(error instanceof MailRefusedError)) throw error;
      this.logger.warn({ err: error, eventId }, 'A mail was refused for good');
      return () => this.notifications.markFailed(eventId, error.reply);
    }
    return () => this.notifications.markSent(eventId);
  }
}

function present({ createdAt, sentAt, ...row }: NotificationRow): NotificationDto {
  return { ...row, createdAt: createdAt.toISOString(), sentAt: sentAt?.toISOString() ?? null };
}

import { Logger } from '@nestjs/common';
import type { Repository } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { LANGUAGES } from '../../src/languages/index.js';
import { MailRefusedError, type Mailer } from '../../src/modules/notifications/mailer.js';
import { Notification } from '../../src/modules/notifications/notification.entity.js';
import { NotificationsService, type News } from '../../src/modules/notifications/notifications.service.js';
import { NotificationsSweep } from '../../src/modules/notifications/notifications.sweep.js';
import type { UsersService } from '../../src/modules/users/index.js';
import { User } from '../../src/modules/users/user.entity.js';
import { newId } from '../../src/platform/database/index.js';
import { TransientError } from '../../src/platform/errors/index.js';
import { speak } from '../../src/platform/languages/index.js';
import { planOf } from '../support/plans.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { newUserRow } from '../factories/users.ts';

speak(LANGUAGES);

describe('Notifications', () => {
  let db: TestDatabase;
  let rows: Repository<Notification>;
  let notifications: NotificationsService;
  let userId: string;
  const send = vi.fn<Mailer['send']>();

  beforeAll(async () => {
    db = await openTestDatabase({ NOTIFICATION_RETENTION_DAYS: '30' }, undefined, [User, Notification]);
    rows = db.dataSource.getRepository(Notification);
    const users = { contactOf: () => Promise.resolve({ email: 'ada@example.com', name: 'Ada' }) };
    notifications = new NotificationsService(
      rows,
      db.dataSource,
      users as unknown as UsersService,
      { send } as unknown as Mailer,
      db.settings,
    );
  });

  afterAll(() => db?.close());

  beforeEach(async () => {
    vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
    send.mockReset().mockResolvedValue();
    await db.database.execute({ text: 'TRUNCATE users CASCADE' });
    userId = await newUserRow(db.database, { email: 'ada@example.com' });
  });

  function news(owner = userId): News {
    const order = { orderId: newId(), amount: 100, currency: 'EUR' };
    return { eventId: newId(), kind: 'order.placed', userId: owner, order };
  }

  const statusOf = async ({ eventId }: News) => (await rows.findOneBy({ eventId }))?.status;

  describe('when a mail is delivered', () => {
    it('are sent with the id of their event, and recorded only on request', async () => {
      const event = news();
      const bookkeeping = await notifications.deliver(event);

      expect(send).toHaveBeenCalledExactlyOnceWith(
        expect.objectContaining({ id: event.eventId, recipient: { email: 'ada@example.com', name: 'Ada' } }),
      );
      expect(await statusOf(event)).toBe('pending');
      await bookkeeping?.();
      expect(await rows.findOneBy({ eventId: event.eventId })).toMatchObject({
        status: 'sent',
        sentAt: expect.any(Date) as Date,
      });
    });

    it('are not sent again', async () => {
      const event = news();
      await (
        await notifications.deliver(event)
      )?.();
      send.mockClear();

      expect(await notifications.deliver(event)).toBeUndefined();
      expect(send).not.toHaveBeenCalled();
    });

    it('fail permanently when the mail server rejects the mail', async () => {
      send.mockRejectedValue(new MailRefusedError('550 No such user', undefined));
      const event = news();
      await (
        await notifications.deliver(event)
      )?.();

      expect(await rows.findOneBy({ eventId: event.eventId })).toMatchObject({
        status: 'failed',
        failure: '550 No such user',
        sentAt: null,
      });
      expect(await notifications.deliver(event)).toBeUndefined();
      expect(send).toHaveBeenCalledOnce();
    });

    it('stay pending, to be retried, while the mail server is down', async () => {
      const failure = new TransientError({ code: 'smtp-unavailable', detail: '' });
      send.mockRejectedValue(failure);
      const event = news();

      await expect(notifications.deliver(event)).rejects.toBe(failure);
      expect(await statusOf(event)).toBe('pending');
    });

    it('are created once per event, also by concurrent deliveries', async () => {
      const event = news();
      await Promise.all(Array.from({ length: 8 }, () => notifications.deliver(event)));

      expect(await rows.countBy({ userId })).toBe(1);
    });
  });

  it('are listed for their user, newest first, page by page', async () => {
    await notifications.deliver(news(await newUserRow(db.database, { email: 'grace@example.com' })));
    for (let i = 0; i < 5; i += 1) await notifications.deliver(news());
    const all = (await notifications.list(userId, { limit: 10 })).data.map(({ id }) => id);
    expect(all).toHaveLength(5);
    expect(all).toEqual(all.toSorted().toReversed());

    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await notifications.list(userId, { limit: 2, cursor });
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(seen).toEqual(all);
  });

  it('are found by their index in any number', async () => {
    for (let i = 0; i < 50; i += 1) await newUserRow(db.database, { email: `${i}@example.com` });
    await db.database.execute({
      text: `INSERT INTO notifications (id, event_id, user_id, kind, subject, recipient, status)
        SELECT uuidv7(), uuidv7(), users.id, 'order.placed', 's', 'r', 'sent' FROM generate_series(1, 100), users`,
    });
    await db.database.execute({ text: 'ANALYZE notifications' });
    const { nextCursor } = await notifications.list(userId, { limit: 20 });
    for (const cursor of [undefined, nextCursor ?? undefined]) {
      const plan = await planOf(db, () => notifications.list(userId, { limit: 20, cursor }));
      expect(plan).toContain('notifications_user_id_id_idx');
      expect(plan).not.toContain('"Sort"');
    }
  });

  it('are deleted when they are too old, all of them and nothing else', async () => {
    vi.spyOn(Logger.prototype, 'log').mockReturnValue();
    const ages = [...Array.from({ length: 1001 }, () => 31), 29, 0];
    await db.database.execute({
      text: `INSERT INTO notifications (id, event_id, user_id, kind, subject, recipient, status)
        SELECT uuidv7(make_interval(days => -day)), uuidv7(), $1, 'order.placed', 's', 'r', 'sent'
        FROM unnest($2::int[]) AS day`,
      values: [userId, ages],
    });
    await new NotificationsSweep(db.database, db.settings).sweep();

    expect(await rows.countBy({ userId })).toBe(2);
  });

  it('are deleted with their user', async () => {
    await notifications.deliver(news());
    await db.database.execute({ text: 'DELETE FROM users WHERE id = $1', values: [userId] });

    expect(await rows.count()).toBe(0);
  });
});

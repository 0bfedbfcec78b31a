import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  NotificationsRepository,
  type NewNotification,
} from '../../src/modules/notifications/notifications.repository.js';
import { newId, type Database, type Statement } from '../../src/platform/database/index.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';

describe('NotificationsRepository', () => {
  let db: TestDatabase;
  let notifications: NotificationsRepository;
  let userId: string;

  beforeAll(async () => {
    db = await openTestDatabase({
      DATABASE_STATEMENT_TIMEOUT_MS: '20000',
      DATABASE_QUERY_TIMEOUT_MS: '20000',
    });
    notifications = new NotificationsRepository(db.database);
  });

  afterAll(() => db?.close());

  beforeEach(async () => {
    await db.database.execute({ text: 'TRUNCATE users CASCADE' });
    userId = await addUser('ada@example.com');
  });

  async function addUser(email: string): Promise<string> {
    const id = newId();
    await db.database.execute({
      text: `INSERT INTO users (id, email, name, password_hash) VALUES ($1, $2, 'Ada', '$hash')`,
      values: [id, email],
    });
    return id;
  }

  function about(eventId: string, owner = userId): NewNotification {
    return { eventId, userId: owner, kind: 'order.placed', subject: 'Hello', recipient: 'ada@example.com' };
  }

  it('opens one notification for an event, however often it is delivered', async () => {
    const eventId = newId();
    const statuses = await Promise.all(Array.from({ length: 8 }, () => notifications.open(about(eventId))));

    expect(new Set(statuses)).toEqual(new Set(['pending']));
    expect(await notifications.page(userId, 10)).toHaveLength(1);
  });

  it('tells a later delivery that the mail is sent, or refused', async () => {
    const [sent, failed] = [newId(), newId()];
    await notifications.open(about(sent));
    await notifications.open(about(failed));
    await notifications.markSent(sent);
    await notifications.markFailed(failed, '550 No such user');

    expect(await notifications.open(about(sent))).toBe('sent');
    expect(await notifications.open(about(failed))).toBe('failed');
    // Opened within the same millisecond they have no order of their own.
    const rows = await notifications.page(userId, 10);
    expect(rows.toSorted((a, b) => a.status.localeCompare(b.status))).toMatchObject([
      { status: 'failed', sentAt: null },
      { status: 'sent', sentAt: expect.any(Date) as Date },
    ]);
  });

  it("shows a user's notifications, newest first, page by page", async () => {
    const stranger = await addUser('grace@example.com');
    await notifications.open(about(newId(), stranger));
    for (let i = 0; i < 5; i += 1) await notifications.open(about(newId()));
    const all = (await notifications.page(userId, 10)).map(({ id }) => id);

    expect(all).toHaveLength(5);
    expect(all).toEqual(all.toSorted().toReversed());
    expect((await notifications.page(userId, 2)).map(({ id }) => id)).toEqual(all.slice(0, 3));
    expect((await notifications.page(userId, 2, all[1])).map(({ id }) => id)).toEqual(all.slice(2));
  });

  it('finds a page by its index, however many notifications there are', async () => {
    for (let i = 0; i < 50; i += 1) await addUser(`${i}@example.com`);
    await db.database.execute({
      text: `INSERT INTO notifications (id, event_id, user_id, kind, subject, recipient, status)
        SELECT uuidv7(), uuidv7(), users.id, 'order.placed', 's', 'r', 'sent' FROM generate_series(1, 100), users`,
    });
    await db.database.execute({ text: 'ANALYZE notifications' });
    for (const after of [undefined, newId()]) {
      let asked: Statement | undefined;
      const recorder = { read: (statement: Statement) => Promise.resolve((asked = statement) && []) };
      await new NotificationsRepository(recorder as unknown as Database).page(userId, 20, after);
      const { text, values } = asked as Statement;
      const plan = JSON.stringify(await db.database.query({ text: `EXPLAIN (FORMAT JSON) ${text}`, values }));
      expect(plan).toContain('notifications_user_id_id_idx');
      expect(plan).not.toContain('"Sort"');
    }
  });

  it('forgets what is older than some days, in batches, and nothing else', async () => {
    await db.database.execute({
      text: `INSERT INTO notifications (id, event_id, user_id, kind, subject, recipient, status)
        SELECT uuidv7(make_interval(days => -day)), uuidv7(), $1, 'order.placed', 's', 'r', 'sent'
        FROM unnest(ARRAY[31, 32, 33, 29, 0]) AS day`,
      values: [userId],
    });
    expect(await notifications.deleteOlderThan(30, 2)).toBe(2);
    expect(await notifications.deleteOlderThan(30, 2)).toBe(1);
    expect(await notifications.deleteOlderThan(30, 2)).toBe(0);
    expect(await notifications.page(userId, 10)).toHaveLength(2);
  });

  it('goes with its user', async () => {
    await notifications.open(about(newId()));
    await db.database.execute({ text: 'DELETE FROM users WHERE id = $1', values: [userId] });

    expect(await db.database.query({ text: 'SELECT 1 FROM notifications' })).toEqual([]);
  });
});

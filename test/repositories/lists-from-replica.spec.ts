import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Notification } from '../../src/modules/notifications/notification.entity.js';
import { NotificationsService } from '../../src/modules/notifications/notifications.service.js';
import { User } from '../../src/modules/users/user.entity.js';
import { UsersService } from '../../src/modules/users/users.service.js';
import { RequestContext } from '../../src/platform/context/index.js';
import { newId } from '../../src/platform/database/index.js';
import { startReplica, type PostgresReplica } from '../../local/servers/postgres-replica.js';
import { waitFor } from '../../local/wait-for.js';
import { openTestDatabase, type DatabaseRoom, type TestDatabase } from '../support/test-database.js';
import { newUserRow } from '../factories/users.js';

const page = { limit: 20 };
const unused = undefined as never;

describe('the lists of users and notifications', () => {
  let db: TestDatabase;
  let replica: PostgresReplica;
  let room: DatabaseRoom;

  beforeAll(async () => {
    db = await openTestDatabase({}, undefined, [User, Notification]);
    replica = await startReplica(db.server);
    room = await db.anotherRoom({
      DATABASE_REPLICA_URLS: replica.url(),
      // A paused replica stays in use.
      DATABASE_REPLICA_MAX_LAG_MS: '60000',
    });
  });
  afterAll(async () => {
    await db?.close();
    await replica?.stop();
  });

  it('come from a replica, and show a caller what it has just written', async () => {
    const { dataSource, database, settings } = room;
    const users = new UsersService(dataSource.getRepository(User), dataSource, unused);
    const notifications = new NotificationsService(
      dataSource.getRepository(Notification),
      dataSource,
      users,
      unused,
      settings,
    );
    const notify = async (userId: string) => {
      await database.execute({
        text: `INSERT INTO notifications (id, event_id, user_id, kind, subject, recipient, status)
               VALUES (uuidv7(), uuidv7(), $1, 'order-paid', 'Paid', 'ada@example.com', 'sent')`,
        values: [userId],
      });
    };
    const lengths = async (userId: string) => [
      (await users.list(page)).data.length,
      (await notifications.list(userId, page)).data.length,
    ];
    const ada = Object.assign(new RequestContext('r-1', Infinity), { userId: newId() });

    await newUserRow(database, { id: ada.userId });
    await notify(ada.userId);
    const onReplica = async () =>
      (
        await database.read<{ there: boolean }>({
          text: 'SELECT pg_is_in_recovery() AND EXISTS (SELECT FROM notifications) AS there',
        })
      )[0]?.there;
    await waitFor(onReplica, { within: 40_000, what: 'the rows on the replica' });
    await replica.pauseReplay();
    await newUserRow(database);
    await notify(ada.userId);
    // A probe that times out sends reads to the primary for a moment.
    await waitFor(async () => (await lengths(ada.userId)).join() === '1,1', {
      within: 40_000,
      what: 'lists from the replica',
    });
    await ada.run(() => notify(ada.userId));
    expect(await ada.run(() => lengths(ada.userId))).toEqual([2, 3]);
  });
});

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RequestContext } from '../../src/platform/context/index.js';
import { streamRows } from '../../src/platform/database/index.js';
import { startPgBouncer, type PgBouncerServer } from '../../local/servers/pgbouncer.js';
import { openTestDatabase, type DatabaseRoom, type TestDatabase } from '../support/test-database.js';
import { waitFor } from '../../local/wait-for.js';

const SERVER_CONNECTIONS = 2;
const CLIENTS = 8;
/** The first that knows prepared statements in transaction mode; Debian 12 has 1.18, Debian 13 has 1.24. */
const KNOWS_NAMES = 1.21;

describe('PgBouncer in transaction mode', () => {
  let db: TestDatabase;
  let pooler: PgBouncerServer;
  let room: DatabaseRoom;
  let observer: pg.Client;

  beforeAll(async () => {
    db = await openTestDatabase();
    await db.database.execute({ text: 'CREATE TABLE notes (body text NOT NULL)' });
    pooler = await startPgBouncer(db.server, { settings: { default_pool_size: SERVER_CONNECTIONS } });
    if (pooler.version >= KNOWS_NAMES) {
      await pooler.stop();
      pooler = await startPgBouncer(db.server, {
        settings: { default_pool_size: SERVER_CONNECTIONS, max_prepared_statements: 100 },
      });
    }
    room = await db.anotherRoom({
      DATABASE_URL: pooler.url,
      DATABASE_TRANSACTION_POOLER: 'true',
      DATABASE_NAMED_STATEMENTS: String(pooler.version >= KNOWS_NAMES),
      DATABASE_POOL_SIZE: String(CLIENTS),
      DATABASE_STATEMENT_TIMEOUT_MS: '4321',
      DATABASE_LOCK_TIMEOUT_MS: '3210',
    });
    observer = new pg.Client(db.server.adminUrl('holdfast'));
    await observer.connect();
  });
  afterAll(async () => {
    await observer?.end();
    await db?.close();
    await pooler?.stop();
  });

  const write = (body: string) =>
    room.database.execute({ name: 'notes-insert', text: 'INSERT INTO notes VALUES ($1)', values: [body] });
  const count = async (body: string) =>
    (
      await room.database.queryOne<{ n: number }>({
        name: 'notes-count',
        text: 'SELECT count(*)::int AS n FROM notes WHERE body = $1',
        values: [body],
      })
    )?.n;
  const setting = async (name: string) =>
    (
      await room.database.queryOne<{ value: string }>({
        text: 'SELECT current_setting($1) AS value',
        values: [name],
      })
    )?.value;
  const running = async (mark: string) =>
    (
      await observer.query(
        `SELECT FROM pg_stat_activity WHERE query LIKE $1 AND state = 'active' AND pid <> pg_backend_pid()`,
        [`%${mark}%`],
      )
    ).rowCount;

  it('carries named statements and units of work of more connections than the server has', async () => {
    await Promise.all(
      Array.from({ length: CLIENTS * 10 }, async (_, i) => {
        if (i % 2 === 0) await write('many');
        else
          await room.unitOfWork.run(async () => {
            await Promise.all([write('many'), count('many')]);
          });
      }),
    );
    expect(await count('many')).toBe(CLIENTS * 10);
  });

  it('gives each unit of work its limits, and no other transaction', async () => {
    const inside = await room.unitOfWork.run(async () => [
      await setting('statement_timeout'),
      await setting('lock_timeout'),
    ]);
    expect(inside).toEqual(['4321ms', '3210ms']);
    for (let i = 0; i < SERVER_CONNECTIONS * 2; i += 1) expect(await setting('statement_timeout')).toBe('0');
    const slow = room.unitOfWork.run(() => room.database.query({ text: 'SELECT pg_sleep(15)' }));
    await expect(slow).rejects.toMatchObject({ status: 503, cause: { code: '57014' } });
  });

  it('forwards the cancellation when a client disconnects', async () => {
    const context = new RequestContext('request-1', 60_000);
    const sleeping = context.run(() =>
      room.database.query({ text: "SELECT pg_sleep(15), 'cancel through it' AS mark" }),
    );
    sleeping.catch(() => undefined);
    await waitFor(async () => (await running('cancel through it')) === 1, { what: 'the query' });
    context.abort('The client went away.');
    await expect(sleeping).rejects.toBeInstanceOf(Error);
    await waitFor(async () => (await running('cancel through it')) === 0, {
      within: 10_000,
      what: 'its end',
    });
  });

  it('streams rows, and rolls a failed unit of work back', async () => {
    const rows: unknown[] = [];
    for await (const batch of streamRows<{ n: number }>(
      room.pool,
      { text: 'SELECT generate_series(1, 250) AS n' },
      100,
    )) {
      rows.push(...batch);
    }
    expect(rows).toHaveLength(250);
    const failing = room.unitOfWork.run(async () => {
      await write('rolled back');
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await count('rolled back')).toBe(0);
  });

  it('rejects the limits at connect, which DATABASE_TRANSACTION_POOLER avoids', async () => {
    const opening = db.anotherRoom({ DATABASE_URL: pooler.url });
    await expect(opening).rejects.toThrow(/unsupported startup parameter/);
  });
});

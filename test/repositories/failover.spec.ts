import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { demote, startReplica, type PostgresReplica } from '../../local/servers/postgres-replica.js';
import { startTcpProxy, type TcpProxy } from '../../local/servers/tcp-proxy.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';
import { waitFor } from '../../local/wait-for.js';

const POOL_SIZE = 4;
/** What the product promises, from the moment at which there is a primary again. */
const NORMAL_WITHIN_MS = 3000;

/** How the product writes: by named SQL or by TypeORM. A unit of work is begun again in either case. */
const STYLES: Record<string, (db: TestDatabase) => { write: () => Promise<unknown>; mixed: boolean }> = {
  'named SQL': ({ database }) => ({
    write: () =>
      database.execute({ name: 'notes-insert', text: 'INSERT INTO notes VALUES ($1)', values: ['x'] }),
    mixed: true,
  }),
  // Single statements of TypeORM are not sent again: the connection belongs to their query runner.
  TypeORM: ({ dataSource }) => ({
    write: () => dataSource.query('INSERT INTO notes VALUES ($1)', ['x']),
    mixed: false,
  }),
};

describe.each(Object.entries(STYLES))('a failover under %s', (_, style) => {
  let db: TestDatabase | undefined;
  let replica: PostgresReplica | undefined;
  let proxy: TcpProxy | undefined;

  afterEach(async () => {
    await db?.close();
    await replica?.stop();
    await proxy?.stop();
    db = replica = proxy = undefined;
  });

  /** A database behind an address that can move, with a replica, and a pool that is in use. */
  async function stage() {
    const opened = (db = await openTestDatabase(
      { DATABASE_POOL_SIZE: String(POOL_SIZE) },
      async (server) => (proxy = await startTcpProxy(server.port)).port,
    ));
    const { database, unitOfWork, server } = opened;
    await database.execute({ text: 'CREATE TABLE notes (body text NOT NULL)' });
    const standby = (replica = await startReplica(server));
    const { write, mixed } = style(opened);
    /** As many at once as there are connections: each of them is tried. */
    const everyConnectionWorks = async () => {
      await Promise.all(
        Array.from({ length: POOL_SIZE }, (_, i) => (mixed && i % 2 === 0 ? write() : unitOfWork.run(write))),
      );
      return true;
    };
    await everyConnectionWorks();
    return { database, server, standby, write, everyConnectionWorks, proxy: proxy as TcpProxy };
  }

  it('to a new primary, while the address still points to the old one, is over within 3 s of the address moving', async () => {
    const { server, standby, write, everyConnectionWorks, proxy: address } = await stage();
    await demote(server, standby);
    // Requests go on arriving: whatever they connect to now is a standby.
    const deadline = Date.now() + 1500;
    while (Date.now() < deadline) {
      await Promise.all(
        Array.from({ length: POOL_SIZE }, () => expect(write()).rejects.toMatchObject({ status: 503 })),
      );
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await standby.promote();
    address.pointTo(standby.port);
    await waitFor(everyConnectionWorks, { within: NORMAL_WITHIN_MS, what: 'writes on every connection' });
  });

  it('from a primary that stays up and refuses writes breaks those connections at the first refusal', async () => {
    const { server, standby, everyConnectionWorks, proxy: address } = await stage();
    // As managed services demote: the server goes on, its connections stay open.
    const admin = new pg.Client(server.adminUrl());
    await admin.connect();
    await admin.query('ALTER SYSTEM SET default_transaction_read_only = on');
    await admin.query('SELECT pg_reload_conf()');
    await waitFor(() => readOnly(admin), { what: 'the old primary to refuse writes' });
    await admin.end();
    await standby.promote();
    address.pointTo(standby.port);
    const moved = performance.now();
    // Nobody notices: what was refused on an old connection is repeated on a new one.
    await everyConnectionWorks();
    expect(performance.now() - moved).toBeLessThan(NORMAL_WITHIN_MS);
  });
});

async function readOnly(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ setting: string }>(
    "SELECT current_setting('default_transaction_read_only') AS setting",
  );
  return rows[0]?.setting === 'on';
}

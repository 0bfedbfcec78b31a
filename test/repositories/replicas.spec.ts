import pg from 'pg';
import { Entity, PrimaryColumn, type Repository } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RequestContext } from '../../src/platform/context/index.js';
import { startReplica, type PostgresReplica } from '../../local/servers/postgres-replica.js';
import { startTcpProxy, type TcpProxy } from '../../local/servers/tcp-proxy.js';
import { openTestDatabase, type DatabaseRoom, type TestDatabase } from '../support/test-database.js';
import { waitFor } from '../../local/wait-for.js';

@Entity('notes')
class Note {
  @PrimaryColumn('text')
  owner!: string;
}

const STYLES: Record<string, (room: DatabaseRoom, text: string) => Promise<unknown>> = {
  'named SQL': ({ database }, text) => database.read({ text }),
  TypeORM: ({ dataSource }, text) => dataSource.createQueryRunner('slave').query(text),
};

describe.each(Object.entries(STYLES))('reads of %s that tolerate lag', (_, read) => {
  let db: TestDatabase;
  let replica: PostgresReplica;
  let proxy: TcpProxy;
  let room: DatabaseRoom;
  const admins: pg.Client[] = [];

  beforeAll(async () => {
    db = await openTestDatabase();
    await db.database.execute({ text: 'CREATE TABLE notes (owner text NOT NULL)' });
    await db.database.execute({ text: "INSERT INTO notes VALUES ('nobody')" });
    replica = await startReplica(db.server, {
      // Few connections for the application, to run out of them; and queries there wait for nothing to be replayed.
      settings: { superuser_reserved_connections: 190, max_standby_streaming_delay: 0 },
    });
    proxy = await startTcpProxy(replica.port);
    room = await db.anotherRoom({
      ...withReplica(),
      // Longer than a test takes: a paused replica stays in use.
      DATABASE_REPLICA_MAX_LAG_MS: '60000',
    });
  });
  afterAll(async () => {
    await Promise.all(admins.map((admin) => admin.end()));
    await db?.close();
    await proxy?.stop();
    await replica?.stop();
  });
  beforeEach(async () => {
    await replica.resumeReplay();
    await waitFor(onReplica, { what: 'reads from the replica' });
  });

  const withReplica = () => ({
    DATABASE_REPLICA_URLS: replica.url().replace(`:${replica.port}/`, `:${proxy.port}/`),
    DATABASE_POOL_SIZE: '2',
  });
  const admin = async (server: { adminUrl(database?: string): string }): Promise<pg.Client> => {
    const client = new pg.Client(server.adminUrl('holdfast'));
    await client.connect();
    admins.push(client);
    return client;
  };
  /** Where a read was done; `slowly` takes its time on a replica only. */
  const whereRead = async (
    condition = 'true',
    slowly = 0,
    from = room,
  ): Promise<'replica' | 'primary' | undefined> => {
    const rows = (await read(
      from,
      `SELECT pg_is_in_recovery() AS replica, pg_sleep(CASE WHEN pg_is_in_recovery() THEN ${slowly} ELSE 0 END)
       FROM notes WHERE ${condition} LIMIT 1`,
    )) as { replica: boolean }[];
    return rows[0] && (rows[0].replica ? 'replica' : 'primary');
  };
  const onReplica = async () => (await whereRead()) === 'replica';
  /** Process ids of what runs on the replica for the application. */
  const runningOnReplica = async (client: pg.Client): Promise<number[]> => {
    const { rows } = await client.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity
       WHERE query LIKE '%FROM notes%' AND state = 'active' AND pid <> pg_backend_pid()`,
    );
    return rows.map(({ pid }) => pid);
  };
  const caller = (userId: string) =>
    Object.assign(new RequestContext(`request of ${userId}`, 60_000), { userId });

  it('are cancelled on the replica when their client disconnects', async () => {
    const observer = await admin(replica);
    const context = caller('ada');
    const reading = context.run(() => whereRead('true', 30));
    reading.catch(() => undefined);
    await waitFor(async () => (await runningOnReplica(observer)).length === 1, { what: 'the read' });
    context.abort('The client went away.');
    await expect(reading).rejects.toMatchObject({ code: 'request-abandoned' });
    await waitFor(async () => (await runningOnReplica(observer)).length === 0, {
      what: 'the cancellation',
    });
  });

  it('come from the primary when the replica cancels them because of a replay conflict', async () => {
    const observer = await admin(replica);
    const reading = whereRead('true', 30);
    await waitFor(async () => (await runningOnReplica(observer)).length === 1, { what: 'the read' });
    // Replaying this needs the table for itself: 40001.
    await db.database.execute({ text: 'ALTER TABLE notes ADD COLUMN IF NOT EXISTS more text' });
    expect(await reading).toBe('primary');
  });

  it('come from the primary when the replica times out', async () => {
    const observer = await admin(replica);
    const reading = whereRead('true', 30);
    const [pid] = await waitFor(
      async () => {
        const running = await runningOnReplica(observer);
        return running.length === 1 && running;
      },
      { what: 'the read' },
    );
    // SQLSTATE 57014, as from statement_timeout.
    await observer.query('SELECT pg_cancel_backend($1)', [pid]);
    expect(await reading).toBe('primary');
  });

  it('come from the primary when the replica has no connection left', async () => {
    const observer = await admin(replica);
    const taken: pg.Client[] = [];
    try {
      await observer.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holdfast-replica-reader'`,
      );
      await waitFor(
        async () => {
          const client = new pg.Client(replica.url());
          client.on('error', () => undefined);
          const full = await client.connect().then(
            () => false,
            (error: { code?: string }) => error.code === '53300',
          );
          if (!full) taken.push(client);
          return full;
        },
        { what: 'a full replica' },
      );
      for (let i = 0; i < 5; i += 1) expect(await whereRead()).toBe('primary');
    } finally {
      await Promise.all(taken.map((client) => client.end()));
    }
  });

  it('come from the primary while the replica is frozen or gone, and from the replica again after it', async () => {
    const timeoutMs = 6000;
    const impatient = await db.anotherRoom({
      ...withReplica(),
      DATABASE_QUERY_TIMEOUT_MS: String(timeoutMs),
    });
    const readThere = () => whereRead('true', 0, impatient);
    await waitFor(async () => (await readThere()) === 'replica', { what: 'the replica' });
    proxy.freeze();
    await waitFor(async () => (await readThere()) === 'primary', { what: 'the primary' });
    const quick = performance.now();
    expect(await readThere()).toBe('primary');
    // The frozen one is not asked again.
    expect(performance.now() - quick).toBeLessThan(timeoutMs);
    proxy.thaw();
    await waitFor(async () => (await readThere()) === 'replica', { what: 'the replica' });
    proxy.cut();
    expect(await readThere()).toBeDefined();
  });

  it('are not repeated on the primary when the statement is invalid', async () => {
    const wrong = caller('ada').run(() => whereRead('1 / 0 = 1'));
    await expect(wrong).rejects.toMatchObject({ code: '22012' });
    await expect(read(room, 'SELEKT')).rejects.toMatchObject({ code: '42601' });
    await waitFor(onReplica, { what: 'the replica' });
  });

  it('show no more than the allowed lag', async () => {
    const maxLagMs = 2000;
    const strict = await db.anotherRoom({
      ...withReplica(),
      DATABASE_REPLICA_MAX_LAG_MS: String(maxLagMs),
    });
    const readLate = () => whereRead("owner = 'late'", 0, strict);
    await replica.pauseReplay();
    await db.database.execute({ text: "INSERT INTO notes VALUES ('late')" });
    const written = performance.now();
    await waitFor(() => performance.now() - written > maxLagMs, { what: 'the allowed lag' });
    expect(await readLate()).toBe('primary');
    await replica.resumeReplay();
    await waitFor(async () => (await readLate()) === 'replica', { what: 'the replica' });
  });

  it('show a caller what it has written, in a unit of work or by a single statement', async () => {
    await replica.pauseReplay();
    const insert = (owner: string) =>
      room.database.execute({ text: 'INSERT INTO notes VALUES ($1)', values: [owner] });
    const [ada, bob, eve] = [caller('ada'), caller('bob'), caller('eve')];
    await ada.run(() => insert('ada'));
    await bob.run(() => room.unitOfWork.run(() => insert('bob')));
    await waitFor(() => eve.run(onReplica), { what: 'the replica' });
    expect(await ada.run(() => whereRead("owner = 'ada'"))).toBe('primary');
    // Another request of the same caller.
    expect(await caller('bob').run(() => whereRead("owner = 'bob'"))).toBe('primary');
    await replica.resumeReplay();
    await waitFor(() => caller('bob').run(async () => (await whereRead("owner = 'bob'")) === 'replica'), {
      what: 'the replica',
    });
  });
});

describe('a repository', () => {
  let db: TestDatabase;
  let replica: PostgresReplica;
  let room: DatabaseRoom;

  beforeAll(async () => {
    db = await openTestDatabase({}, ({ port }) => port, [Note]);
    await db.database.execute({ text: 'CREATE TABLE notes (owner text PRIMARY KEY)' });
    await db.database.execute({ text: "INSERT INTO notes VALUES ('ada')" });
    replica = await startReplica(db.server);
    room = await db.anotherRoom({ DATABASE_REPLICA_URLS: replica.url() });
  });
  afterAll(async () => {
    await db?.close();
    await replica?.stop();
  });

  it('reads from a replica where it says so, outside of units of work, and writes nothing there', async () => {
    const { dataSource, unitOfWork } = room;
    const notes = dataSource.getRepository(Note);
    const tolerant = () => dataSource.createQueryRunner('slave').manager.withRepository(notes);
    const where = (repository: Repository<Note>) =>
      repository.createQueryBuilder().select('pg_is_in_recovery()', 'replica').getRawOne();

    await waitFor(async () => (await where(tolerant()))?.replica, { what: 'a read from the replica' });
    expect(await tolerant().find()).toEqual([{ owner: 'ada' }]);
    expect(await where(notes)).toEqual({ replica: false });
    await unitOfWork.run(async () => expect(await where(tolerant())).toEqual({ replica: false }));
    const writes = (repository: Repository<Note>) => [
      () => repository.save({ owner: 'eve' }),
      () => repository.insert({ owner: 'eve' }),
      () => repository.update({ owner: 'ada' }, { owner: 'eve' }),
      () => repository.delete({ owner: 'ada' }),
      () => repository.query("INSERT INTO notes VALUES ('eve')"),
    ];
    // Without a replica as well: what is refused in production fails on a developer's machine.
    const alone = db.dataSource.createQueryRunner('slave').manager.withRepository(notes);
    for (const write of [...writes(tolerant()), ...writes(alone)])
      await expect(write()).rejects.toThrow('cannot write; write and begin transactions on the primary');
    expect(await notes.find()).toEqual([{ owner: 'ada' }]);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';
import { waitFor } from '../../local/wait-for.js';

const POOL_SIZE = 4;
let db: TestDatabase;

beforeAll(async () => {
  db = await openTestDatabase({ DATABASE_POOL_SIZE: String(POOL_SIZE) });
});
afterAll(() => db?.close());
beforeEach(async () => {
  await db.database.execute({ text: 'DROP TABLE IF EXISTS counters' });
  await db.database.execute({ text: 'CREATE TABLE counters (id int PRIMARY KEY, value int NOT NULL)' });
  await db.database.execute({ text: 'INSERT INTO counters SELECT n, 0 FROM generate_series(1, 8) AS n' });
});

const read = (id: number) =>
  db.database.query<{ value: number }>({
    name: 'counters-read',
    text: 'SELECT * FROM counters WHERE id = $1',
    values: [id],
  });
const count = (id: number) =>
  db.database.query<{ value: number }>({
    name: 'counters-count',
    text: 'UPDATE counters SET value = value + 1 WHERE id = $1 RETURNING *',
    values: [id],
  });
const total = async () =>
  (await db.database.queryOne<{ sum: number }>({ text: 'SELECT sum(value)::int FROM counters' }))?.sum;

/** Does the work on every connection of the pool: none is given back before all of them have done it. */
async function everywhere(work: (connection: number) => Promise<unknown>): Promise<void> {
  const { promise: allDone, resolve: arrive } = Promise.withResolvers<void>();
  let done = 0;
  await Promise.all(
    Array.from({ length: POOL_SIZE }, (_, i) =>
      db.unitOfWork.run(async () => {
        await work(1 + i);
        if ((done += 1) === POOL_SIZE) arrive();
        await allDone;
      }),
    ),
  );
  expect(db.database.poolState.total).toBe(POOL_SIZE);
}

/** Prepares the statements on every connection of the pool. */
const prepareEverywhere = () =>
  everywhere(async (id) => {
    await read(id);
    await count(id);
  });

describe('a migration that widens a column under load', () => {
  it('fails no statement and no unit of work, and each has its effect once', async () => {
    await prepareEverywhere();
    let done = false;
    let counted = await total();
    const workers = Array.from({ length: 8 }, async (_, i) => {
      for (let turn = 0; !done; turn += 1) {
        const id = i + 1;
        if (turn % 3 === 0) await count(id);
        else if (turn % 3 === 1) await read(id);
        else {
          await db.unitOfWork.run(async () => {
            await read(id);
            await count(id);
          });
        }
        if (turn % 3 !== 1) counted = Number(counted) + 1;
      }
    });
    const migration = (async () => {
      const other = await db.anotherRoom();
      for (const type of ['bigint', 'int', 'bigint']) {
        await waitForTurns();
        await other.database.execute({ text: `ALTER TABLE counters ALTER COLUMN value TYPE ${type}` });
      }
      await waitForTurns();
      done = true;
    })();
    async function waitForTurns(): Promise<void> {
      const before = Number(counted);
      await waitFor(() => Number(counted) > before + 50, {
        what: 'work between two migrations',
      });
    }
    try {
      await Promise.all([migration, ...workers]);
    } finally {
      done = true;
      await Promise.allSettled(workers);
    }
    expect(await total()).toBe(counted);
  });

  it('repeats a unit of work completely, and runs its after-commit steps once', async () => {
    await prepareEverywhere();
    await db.database.execute({ text: 'ALTER TABLE counters ALTER COLUMN value TYPE bigint' });
    const before = (await total()) ?? 0;
    const steps: string[] = [];
    let attempts = 0;
    await db.unitOfWork.run(async () => {
      attempts += 1;
      db.unitOfWork.afterCommit(() => void steps.push('committed'));
      await db.database.execute({ text: 'UPDATE counters SET value = value + 10 WHERE id = 1' });
      await count(1);
    });
    expect(attempts).toBe(2);
    expect(steps).toEqual(['committed']);
    expect(await total()).toBe(before + 11);
  });

  it('repeats no unit of work that is declared not repeatable', async () => {
    await prepareEverywhere();
    await db.database.execute({ text: 'ALTER TABLE counters ALTER COLUMN value TYPE bigint' });
    let attempts = 0;
    const once = db.unitOfWork.run(
      async () => {
        attempts += 1;
        await count(1);
      },
      { repeatable: false },
    );
    await expect(once).rejects.toMatchObject({ status: 503, code: 'database-unavailable' });
    expect(attempts).toBe(1);
    await db.unitOfWork.run(() => count(1), { repeatable: false });
  });
});

describe('a connection that has lost its prepared statements', () => {
  it('is replaced, and its statements are sent again', async () => {
    await prepareEverywhere();
    const before = (await total()) ?? 0;
    const lose = () => everywhere(() => db.database.execute({ text: 'DEALLOCATE ALL' }));
    await lose();
    await count(1);
    await prepareEverywhere();
    await lose();
    await db.unitOfWork.run(() => count(2));
    expect(await total()).toBe(before + POOL_SIZE + 2);
  });
});

describe('a unit of work in which a statement fails', () => {
  it('is no sign of lost statements, whatever PostgreSQL answers to those behind it', async () => {
    const room = await db.anotherRoom({ DATABASE_POOL_SIZE: '1' });
    const { database, unitOfWork } = room;
    const backend = () => database.query<{ pid: number }>({ text: 'SELECT pg_backend_pid() AS pid' });
    const before = await backend();
    let runs = 0;
    // PostgreSQL looks for the prepared statement first, and for the failed transaction then.
    const insert = (id: number) =>
      database.execute({ name: 'insert', text: 'INSERT INTO counters VALUES ($1, 0)', values: [id] });
    const failing = unitOfWork.run(() => {
      runs += 1;
      return Promise.all([database.query({ text: 'SELECT 1 / 0' }), insert(11), insert(12)]);
    });
    await expect(failing).rejects.toMatchObject({ code: '22012' });
    expect(runs).toBe(1);
    expect(await backend()).toEqual(before);
  });
});

describe('an error in answer to COMMIT', () => {
  it('never repeats the work, even if its code says that the connection is outdated', async () => {
    await db.database.execute({
      text: `CREATE FUNCTION refuse_to_commit() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '26000'; END $$`,
    });
    await db.database.execute({
      text: `CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON counters DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION refuse_to_commit()`,
    });
    let runs = 0;
    await expect(
      db.unitOfWork.run(async () => {
        runs += 1;
        await count(1);
      }),
    ).rejects.toThrow();
    expect(runs).toBe(1);
    expect(await total()).toBe(0);
  });
});

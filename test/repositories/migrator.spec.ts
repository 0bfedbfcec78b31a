import pg from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../local/wait-for.ts';
import { startPostgres, type PostgresServer } from '../../local/servers/postgres.ts';
import { buildIndex, dropIndex } from '../../migrations/lib/build-index.ts';
import { inBatches } from '../../migrations/lib/in-batches.ts';
import { loadSettings, type Settings } from '../../src/config/index.ts';
import { Migrator } from '../../src/platform/database/index.ts';
import { PRODUCT } from '../../src/product.ts';
import { PATIENT_DATABASE } from '../support/patience.ts';

class Books1000000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE books (id uuid PRIMARY KEY DEFAULT uuidv7(), title text, slug text)');
    await runner.query(`INSERT INTO books (title) SELECT 'Title ' || n FROM generate_series(1, 2500) AS n`);
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE books');
  }
}

class Index1000000000002 implements MigrationInterface {
  transaction = false;
  up(runner: QueryRunner): Promise<void> {
    return buildIndex(runner, 'books_title', 'ON books (title)');
  }
  down(runner: QueryRunner): Promise<void> {
    return dropIndex(runner, 'books_title');
  }
}

class Slugs1000000000003 implements MigrationInterface {
  transaction = false;
  async up(runner: QueryRunner): Promise<void> {
    await inBatches(runner, { table: 'books', set: 'slug = lower(title)', where: 'slug IS NULL' });
  }
  async down(): Promise<void> {}
}

let server: PostgresServer;
let settings: Settings['database'];
let client: pg.Client;
let databases = 0;
const opened: Migrator[] = [];

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

beforeEach(async () => {
  const name = `migrator_${++databases}`;
  const admin = new pg.Client(server.url());
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.end();
  settings = loadSettings({ ...PATIENT_DATABASE, DATABASE_URL: server.url(name) }, PRODUCT).database;
  client = new pg.Client(settings.url);
  await client.connect();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((migrator) => migrator.close()));
  await client.end();
});

async function open(...migrations: (new () => MigrationInterface)[]): Promise<Migrator> {
  const migrator = await Migrator.open(settings, undefined, migrations);
  opened.push(migrator);
  return migrator;
}

async function indexIsValid(): Promise<boolean | undefined> {
  const { rows } = await client.query<{ valid: boolean }>(
    `SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass('books_title')`,
  );
  return rows[0]?.valid;
}

/** Whether an index has been waiting for longer than an ALTER may. */
async function isLongWaiting(): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'CREATE INDEX%'
       AND wait_event_type = 'Lock' AND now() - query_start > interval '2.5 s'`,
  );
  return rowCount === 1;
}

describe('an index built by a migration', () => {
  it('is built once by two migrators, neither of which waits for the other', async () => {
    await (await open(Books1000000000001)).migrate();
    const both = [
      await open(Books1000000000001, Index1000000000002),
      await open(Books1000000000001, Index1000000000002),
    ];
    const startedAt = performance.now();
    const ran = await Promise.all(both.map((migrator) => migrator.migrate()));

    // CREATE INDEX would wait for a migrator that waits in pg_advisory_lock, until a timeout or forever. Otherwise it takes 1.6 s on a
    // busy machine.
    expect(ran.flat()).toEqual(['Index1000000000002']);
    expect(performance.now() - startedAt).toBeLessThan(30_000);
    expect(await indexIsValid()).toBe(true);
  });

  it('waits for older transactions for as long as they take, not for its lock_timeout', async () => {
    await (await open(Books1000000000001)).migrate();
    const reader = new pg.Client(settings.url);
    await reader.connect();
    try {
      await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM books LIMIT 1');
      const migrating = (await open(Books1000000000001, Index1000000000002)).migrate();
      await waitFor(isLongWaiting, { within: 60_000, what: 'an index that waits for more than two seconds' });
      await client.query(`INSERT INTO books (title) VALUES ('meanwhile')`);
      await reader.query('COMMIT');

      expect(await migrating).toEqual(['Index1000000000002']);
    } finally {
      await reader.end();
    }
  });

  it('replaces the invalid one that an interrupted run has left', async () => {
    await (await open(Books1000000000001)).migrate();
    await client.query(`INSERT INTO books (title) VALUES ('twice'), ('twice')`);
    await expect(
      client.query('CREATE UNIQUE INDEX CONCURRENTLY books_title ON books (title)'),
    ).rejects.toThrow();
    expect(await indexIsValid()).toBe(false);

    await (await open(Books1000000000001, Index1000000000002)).migrate();
    expect(await indexIsValid()).toBe(true);
  });

  it('is reverted outside of a transaction, as it was built', async () => {
    const migrator = await open(Books1000000000001, Index1000000000002);
    await migrator.migrate();

    expect(await migrator.revert()).toBe('Index1000000000002');
    expect(await indexIsValid()).toBeUndefined();
    expect(await migrator.revert()).toBe('Books1000000000001');
  });
});

describe('a backfill in batches', () => {
  it('changes every row, and passes by those that a request has locked until they are free', async () => {
    await (await open(Books1000000000001)).migrate();
    await client.query('BEGIN');
    await client.query(`UPDATE books SET title = 'Held' WHERE title = 'Title 7'`);
    const migrating = (await open(Books1000000000001, Slugs1000000000003)).migrate();
    const observer = new pg.Client(settings.url);
    await observer.connect();
    const left = async (): Promise<number> => {
      const { rows } = await observer.query<{ left: number }>(
        'SELECT count(*)::int AS left FROM books WHERE slug IS NULL',
      );
      return rows[0]?.left ?? Infinity;
    };
    try {
      await waitFor(async () => (await left()) === 1, {
        within: 30_000,
        what: 'all rows but the locked one',
      });
      await client.query('COMMIT');

      expect(await migrating).toEqual(['Slugs1000000000003']);
      expect(await left()).toBe(0);
      const { rows } = await observer.query(`SELECT slug FROM books WHERE title = 'Held'`);
      expect(rows).toEqual([{ slug: 'held' }]);
    } finally {
      await observer.end();
    }
  });

  it('goes on with the rows that are left after an interruption', async () => {
    await (await open(Books1000000000001)).migrate();
    await client.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF OLD.title = 'Title 2200' THEN RAISE 'the machine is gone'; END IF; RETURN NEW; END $$;
      CREATE TRIGGER refuse BEFORE UPDATE ON books FOR EACH ROW EXECUTE FUNCTION refuse()`);
    const migrator = await open(Books1000000000001, Slugs1000000000003);
    await expect(migrator.migrate()).rejects.toThrow('the machine is gone');
    const done = async (): Promise<unknown> =>
      (
        await client.query(
          'SELECT count(*)::int AS done, count(DISTINCT xmin::text)::int AS batches FROM books WHERE slug IS NOT NULL',
        )
      ).rows[0];
    expect(await done()).toEqual({ done: 2000, batches: 2 });

    await client.query('DROP TRIGGER refuse ON books');
    expect(await migrator.migrate()).toEqual(['Slugs1000000000003']);
    expect(await done()).toEqual({ done: 2500, batches: 3 });
  });

  it('is refused in a transaction', async () => {
    class InTransaction1000000000004 extends Slugs1000000000003 {
      override transaction = true;
    }
    const migrator = await open(Books1000000000001, InTransaction1000000000004);
    await expect(migrator.migrate()).rejects.toThrow('A backfill needs `transaction = false`');
  });
});

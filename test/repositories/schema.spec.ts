import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { DataSource, getMetadataArgsStorage } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadSettings, type Settings } from '../../src/config/index.js';
import { PRODUCT } from '../../src/product.js';
import { dataSourceOptions, primaryPool } from '../../src/platform/database/data-source.js';
import { Migrator } from '../../src/platform/database/index.js';
import { startPostgres, type PostgresServer } from '../../local/servers/postgres.js';
import { PATIENT_DATABASE } from '../support/patience.js';
import { waitFor } from '../../local/wait-for.js';

const root = join(import.meta.dirname, '../..');

let server: PostgresServer;
let admin: pg.Client;
let database = 0;
let settings: Settings['database'];

/** Rows that describe everything a migration may make: columns, indexes, constraints, types, functions, sequences. */
const SCHEMA = `
  SELECT 'column' AS kind, concat_ws(' ', table_name, column_name, data_type, udt_name, character_maximum_length,
         datetime_precision, is_nullable, column_default) AS definition
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'migrations'
  UNION ALL SELECT 'index', indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'migrations'
  UNION ALL SELECT 'constraint', concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> coalesce(to_regclass('migrations'), 0::oid)
  UNION ALL SELECT 'type', concat_ws(' ', t.typname, e.enumlabel) FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
  UNION ALL SELECT 'routine', oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT 'trigger', pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT 'sequence', sequencename FROM pg_sequences WHERE schemaname = 'public' AND sequencename <> 'migrations_id_seq'
  ORDER BY 1, 2`;

async function schemaRows(): Promise<string[]> {
  const client = new pg.Client(settings.url);
  await client.connect();
  try {
    const { rows } = await client.query<{ kind: string; definition: string }>(SCHEMA);
    return rows.map(({ kind, definition }) => `${kind} ${definition}`);
  } finally {
    await client.end();
  }
}

async function withMigrator<T>(work: (migrator: Migrator) => Promise<T>): Promise<T> {
  const migrator = await Migrator.open(settings);
  try {
    return await work(migrator);
  } finally {
    await migrator.close();
  }
}

async function entityClasses(): Promise<unknown[]> {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.entity.ts'),
  );
  const modules = await Promise.all(
    files.map((path) => import(join(root, 'src', path)) as Promise<Record<string, unknown>>),
  );
  const known = new Set<unknown>(getMetadataArgsStorage().tables.map(({ target }) => target));
  return modules.flatMap((module) => Object.values(module)).filter((value) => known.has(value));
}

/** What TypeORM would do to the database to make it fit the entities. */
async function changesFor(entities: unknown[]): Promise<string[]> {
  const dataSource = new DataSource({
    ...dataSourceOptions(settings, primaryPool(settings, 'schema-spec')),
    entities: entities as never,
  });
  await dataSource.initialize();
  try {
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    return upQueries.map(({ query }) => query);
  } finally {
    await dataSource.destroy();
  }
}

beforeAll(async () => {
  server = await startPostgres();
  admin = new pg.Client(server.url());
  await admin.connect();
});

afterAll(async () => {
  await admin.end();
  await server.stop();
});

beforeEach(async () => {
  const name = `schema_${++database}`;
  await admin.query(`CREATE DATABASE ${name}`);
  settings = loadSettings({ ...PATIENT_DATABASE, DATABASE_URL: server.url(name) }, PRODUCT).database;
});

afterEach(() => admin.query(`DROP DATABASE schema_${database} WITH (FORCE)`));

describe('the migrated schema', () => {
  it('agrees with every entity: TypeORM would change nothing', async () => {
    await withMigrator((migrator) => migrator.migrate());
    const entities = await entityClasses();

    expect(entities.length).toBeGreaterThanOrEqual(6);
    expect(await changesFor(entities)).toEqual([]);
  });

  it('does not agree when it differs by a column or an index', async () => {
    await withMigrator((migrator) => migrator.migrate());
    const client = new pg.Client(settings.url);
    await client.connect();
    await client.query(
      'ALTER TABLE sessions DROP COLUMN user_agent; CREATE INDEX stray ON users (created_at)',
    );
    await client.end();

    expect(await changesFor(await entityClasses())).toEqual([
      expect.stringContaining('DROP INDEX "public"."stray"'),
      expect.stringContaining('ALTER TABLE "sessions" ADD "user_agent"'),
    ]);
  });

  it('has an entity for each of its tables', async () => {
    await withMigrator((migrator) => migrator.migrate());
    await entityClasses();
    const tables = getMetadataArgsStorage().tables.map(({ name }) => name);
    const columns = (await schemaRows()).filter((row) => row.startsWith('column '));

    expect(
      [...new Set(columns.map((row) => row.split(' ')[1]))].filter((table) => !tables.includes(table)),
    ).toEqual([]);
  });
});

describe('the migrations', () => {
  it('can be reverted one by one, and applied again', async () => {
    await withMigrator(async (migrator) => {
      const names = await migrator.migrate();
      const complete = await schemaRows();
      for (const name of names.toReversed()) {
        expect(await migrator.revert()).toBe(name);
        const { applied } = (await migrator.status()).find((state) => state.name === name) ?? {};
        expect([name, applied]).toEqual([name, false]);
      }
      expect(await schemaRows()).toEqual([]);
      expect(await migrator.revert()).toBeUndefined();

      expect(await migrator.migrate()).toEqual(names);
      expect(await schemaRows()).toEqual(complete);
    });
  });

  it('normalise e-mail addresses as they are looked up, and lose none', async () => {
    const name = 'NormalisedEmails1763600120000';
    await withMigrator(async (migrator) => {
      await migrator.migrate();
      while ((await migrator.status()).some((migration) => migration.name === name && migration.applied))
        await migrator.revert();
    });
    const client = new pg.Client(settings.url);
    await client.connect();
    try {
      const decomposed = 'e\u0301';
      await client.query(
        `INSERT INTO users (id, email, name, password_hash)
          SELECT uuidv7(), email, 'Ada', '$hash' FROM unnest($1::text[]) WITH ORDINALITY AS t (email, n) ORDER BY n`,
        [
          [
            `${decomposed}@a`,
            'é@b',
            `${decomposed}@b`,
            `c${decomposed}${decomposed}@c`,
            `cé${decomposed}@c`,
            'd@d',
          ],
        ],
      );
      await withMigrator((migrator) => migrator.migrate());
      const { rows } = await client.query<{ email: string }>('SELECT email FROM users');
      const emails = rows.map(({ email }) => email);
      expect(emails).toHaveLength(6);
      expect(emails).toEqual(expect.arrayContaining(['é@a', 'é@b', `${decomposed}@b`, 'céé@c', 'd@d']));
    } finally {
      await client.end();
    }
  });

  it('are listed as pending before and as applied after they ran', async () => {
    await withMigrator(async (migrator) => {
      expect((await migrator.status()).map(({ applied }) => applied)).not.toContain(true);
      const names = await migrator.migrate();

      expect(await migrator.status()).toEqual(names.map((name) => ({ name, applied: true, known: true })));
    });
  });

  it('run once when several replicas migrate at the same time', async () => {
    const migrators = await Promise.all(Array.from({ length: 3 }, () => Migrator.open(settings)));
    try {
      const [ran, ...others] = (await Promise.all(migrators.map((migrator) => migrator.migrate()))).toSorted(
        (a, b) => b.length - a.length,
      );

      expect(ran).toHaveLength((await migrators[0]?.status())?.length ?? 0);
      expect(others).toEqual([[], []]);
    } finally {
      await Promise.all(migrators.map((migrator) => migrator.close()));
    }
  });

  it('wait for a running migration, and do not block it', async () => {
    await withMigrator((migrator) => migrator.migrate());
    const atWork = new pg.Client(settings.url);
    await atWork.connect();
    const said: string[] = [];
    const second = await Migrator.open(settings, (line) => said.push(line));
    try {
      await atWork.query('SELECT pg_advisory_lock(7305041)');
      const migrating = second.migrate();
      await waitFor(() => said.length > 0, { what: 'a word from the one that waits' });
      // Waits for every snapshot that is older than itself: one that waited in pg_advisory_lock would stop it for ever.
      await atWork.query('CREATE INDEX CONCURRENTLY meanwhile ON users (name)');
      await atWork.query('SELECT pg_advisory_unlock(7305041)');

      expect([await migrating, said]).toEqual([[], ['Another migration is running; waiting for it.']]);
    } finally {
      await atWork.end();
      await second.close();
    }
  });

  it('stop when the connection with the migration lock is lost', async () => {
    const first = await Migrator.open(settings);
    const busy = new pg.Client(settings.url);
    await busy.connect();
    try {
      await first.migrate();
      await first.revert();
      await busy.query('BEGIN; LOCK TABLE migrations IN SHARE MODE');
      const migrating = first.migrate().catch((error: Error) => error.message);
      await lockWaiters('relation', 1);
      await admin.query(
        `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database =
           (SELECT oid FROM pg_database WHERE datname = $1)`,
        [`schema_${database}`],
      );
      expect(await migrating).toMatch(/terminat/);
      await busy.query('COMMIT');

      expect(await withMigrator((migrator) => migrator.migrate())).toHaveLength(1);
    } finally {
      await busy.end();
      await first.close();
    }
  });
});

/** Waits until that many sessions of the current database queue up for a lock of this kind. */
async function lockWaiters(kind: string, count: number): Promise<void> {
  await waitFor(
    async () => {
      const { rows } = await admin.query<{ waiting: number }>(
        `SELECT count(*)::int AS waiting FROM pg_locks l JOIN pg_stat_activity a USING (pid)
          WHERE l.locktype = $1 AND NOT l.granted AND a.datname = $2`,
        [kind, `schema_${database}`],
      );
      return rows[0]?.waiting === count;
    },
    { what: `${count} waiter(s) for a lock of kind ${kind}` },
  );
}

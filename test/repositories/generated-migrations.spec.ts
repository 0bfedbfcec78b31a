import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startPostgres, type PostgresServer } from '../../local/servers/postgres.ts';
import { generated } from '../../schematics/checkout.ts';
import { checkMigrations } from '../../scripts/lib/migrations/check.ts';
import { loadSettings } from '../../src/config/index.ts';
import { Migrator } from '../../src/platform/database/index.ts';
import { PRODUCT } from '../../src/product.ts';
import { PATIENT_DATABASE } from '../support/patience.ts';

type Migration = new () => MigrationInterface;

class Users1000000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE users (id uuid CONSTRAINT users_pkey PRIMARY KEY)');
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE users');
  }
}

/** Tables, constraints and indexes, without the rows of the migrator itself. */
const SCHEMA = `
  SELECT pg_get_constraintdef(oid) || convalidated AS what FROM pg_constraint WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
  UNION ALL SELECT concat_ws(' ', table_name, column_name, udt_name, is_nullable, column_default)
    FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1`;

let server: PostgresServer;
let folder: string;
/** By the names of their files, in order. */
const texts = new Map<string, string>();
const classes = new Map<string, Migration>();

beforeAll(async () => {
  server = await startPostgres();
  folder = mkdtempSync(join(tmpdir(), 'generated-migrations-'));
  mkdirSync(join(folder, 'migrations'));
  cpSync(join(import.meta.dirname, '../../migrations/lib'), join(folder, 'migrations/lib'), {
    recursive: true,
  });
  const customers = { name: 'customers', fields: 'order:string:unique words:text:searchable' };
  const invoices = { name: 'invoices', owner: true, fields: 'number:string:indexed' };
  const added =
    'status:enum(draft,sent):default(draft) rate:decimal(5,2):default(0.50) customer:ref(customers):optional';
  let tree = await generated('feature', { ...customers, timestamp: 1000000001000 });
  tree = await generated('feature', { ...invoices, timestamp: 1000000002000 }, tree);
  tree = await generated('field', { name: 'invoices', fields: added, timestamp: 1000000003000 }, tree);
  const removal = { name: 'invoices,customers', deployed: true, timestamp: 1000000009000 };
  tree = await generated('remove-feature', removal, tree);
  for (const path of tree.files.filter((file) => file.startsWith('/migrations/')).toSorted()) {
    texts.set(path, tree.readText(path));
    writeFileSync(join(folder, path), tree.readText(path));
  }
  for (const path of texts.keys()) {
    const module = (await import(join(folder, path))) as Record<string, Migration>;
    classes.set(path, Object.values(module)[0]!);
  }
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await server?.stop();
});

async function database(name: string): Promise<pg.Client> {
  const admin = new pg.Client(server.url());
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.end();
  const client = new pg.Client(server.url(name));
  await client.connect();
  return client;
}

it('The migration of a removed feature that was deployed runs up, down and up again', async () => {
  const client = await database('deployed');
  const url = server.url('deployed');
  const settings = loadSettings({ ...PATIENT_DATABASE, DATABASE_URL: url }, PRODUCT).database;
  const schema = async () => (await client.query<{ what: string }>(SCHEMA)).rows.map(({ what }) => what);
  const open = (...migrations: Migration[]) =>
    Migrator.open(settings, undefined, [Users1000000000000, ...migrations]);
  const all = [...classes.values()];
  const before = await open(...all.slice(0, -1));
  await before.migrate();
  await before.close();
  const whole = await schema();
  expect(whole.filter((what) => what.includes('customer'))).not.toEqual([]);

  const migrator = await open(...all);
  for (let times = 0; times < 2; times++) {
    await migrator.migrate();
    expect((await schema()).filter((what) => /customer|invoice/.test(what))).toEqual([]);
    expect(await migrator.revert()).toBe('DropInvoicesCustomers1000000009000');
    expect(await schema()).toEqual(whole);
  }
  await migrator.close();
  await client.end();
});

it('Fields and the removal of a feature pass the check of migrations', async () => {
  const released = { migration: new Users1000000000000(), name: 'users', source: '', released: true };
  const generatedOnes = [...classes].map(([name, Class], i) => ({
    name,
    migration: new Class(),
    source: texts.get(name)!,
    released: i < 2,
  }));

  expect(await checkMigrations(server, [released, ...generatedOnes], 'checked')).toMatchObject({
    findings: [],
  });
});

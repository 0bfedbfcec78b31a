import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Bench } from '../harness/bench.ts';
import type { Testbed } from './testbed.ts';

/** Rows in one statement, so that the progress display moves. */
const PIECE = 1_000_000;
/** The rows' ages go from this to nothing: half of them are older than the retention of a day. */
const OLDEST_HOURS = 48;

/** All rows have about one size: smaller ones would be put into gaps all over the table. */
const EVENT = `'bench.happened', '{parked}',
  json_build_object('orderId', gen_random_uuid(), 'userId', gen_random_uuid(), 'amount', n, 'currency', 'EUR'),
  gen_random_uuid()::text, gen_random_uuid()::text`;
const OUTBOX = `
  INSERT INTO outbox_events (id, name, consumers, payload, key, request_id, occurred_at, relayed_at, relay_attempts)
  SELECT uuidv7(age), ${EVENT}, now() + age, now() + age, 1`;
const WAITING = `
  INSERT INTO outbox_events (id, name, consumers, payload, key, request_id)
  SELECT uuidv7(), ${EVENT} FROM generate_series(1, $1::int) n`;
const INBOX = `
  INSERT INTO inbox (event_id, consumer, handled_at)
  SELECT id, 'parked', relayed_at FROM outbox_events WHERE relayed_at IS NOT NULL`;
/** What a caller's keys look like: random ones within a scope. */
const IDEMPOTENCY = `
  INSERT INTO idempotency_records (scope, key, fingerprint, status, headers, body, created_at, expires_at)
  SELECT gen_random_uuid() || ' POST /v1/orders', gen_random_uuid(), repeat(md5(n::text), 2), 201,
         '{"location":"/v1/orders/00000000-0000-7000-8000-000000000000"}', repeat('{"id":"value"}', 25),
         now() + age, now() + age + interval '24 hours'`;

/** A migrated database whose tables of messaging and idempotency hold so many rows, of two days. @returns a connection to it */
export async function openRetained(
  bench: Bench,
  testbed: Testbed,
  name: string,
  rows: number,
): Promise<pg.Client> {
  const { postgres } = testbed.stack;
  await testbed.sql.query(`CREATE DATABASE ${name} OWNER "holdfast"`);
  const migrated = await testbed.stack.cli(['migrate'], { DATABASE_URL: postgres.url(name) });
  if (migrated.code !== 0) throw new Error(`cli migrate failed: ${migrated.stdout}${migrated.stderr}`);
  const sql = new pg.Client({ connectionString: postgres.adminUrl(name) });
  await sql.connect();
  testbed.onClose(() => sql.end());
  await sql.query(`SET maintenance_work_mem = '512MB'`);
  // An index in random order is built much faster than it is filled row by row.
  await sql.query('ALTER TABLE idempotency_records DROP CONSTRAINT idempotency_records_pkey');
  for (const [table, insert] of [
    ['outbox_events', OUTBOX],
    ['idempotency_records', IDEMPOTENCY],
  ] as const) {
    for (let from = 1; from <= rows; from += PIECE) {
      bench.say(`filling ${table}, ${name} ${Math.ceil(from / PIECE)}/${Math.ceil(rows / PIECE)}`);
      await sql.query(
        `${insert} FROM generate_series($1::int, $2::int) n,
           LATERAL (SELECT ($3::int - n) * interval '-${OLDEST_HOURS} hours' / $3::int AS age) AS aged`,
        [from, Math.min(rows, from + PIECE - 1), rows],
      );
    }
  }
  bench.say(`filling inbox, ${name}`);
  await sql.query(INBOX);
  bench.say(`building indexes, ${name}`);
  await sql.query(
    'ALTER TABLE idempotency_records ADD CONSTRAINT idempotency_records_pkey PRIMARY KEY (scope, key)',
  );
  await sql.query('VACUUM (ANALYZE) outbox_events, inbox, idempotency_records');
  await sql.query('CHECKPOINT');
  // As in a server that has been running for a while.
  await sql.query('CREATE EXTENSION pg_prewarm');
  for (const table of ['outbox_events', 'inbox', 'idempotency_records'])
    await sql.query(`SELECT pg_prewarm('${table}_pkey')`);
  return sql;
}

/** Events that wait for the relay. */
export async function addWaiting(sql: pg.Client, count: number): Promise<void> {
  await sql.query(WAITING, [count]);
}

/** A key that nobody has used. */
export const newKey = (): { scope: string; key: string; fingerprint: string } => ({
  scope: `${randomUUID()} POST /v1/orders`,
  key: randomUUID(),
  fingerprint: '0'.repeat(64),
});

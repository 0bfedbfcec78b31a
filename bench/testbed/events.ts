import type pg from 'pg';
import { waitFor } from '../../local/wait-for.ts';

/** Events for an outbox, committed at once: the backlog that a worker finds after an outage. */
export async function addEvents(
  sql: pg.Client,
  events: { name: string; consumer: string; count: number },
): Promise<void> {
  await sql.query(
    `INSERT INTO outbox_events (id, name, consumers, payload)
     SELECT uuidv7(), $1, ARRAY[$2], json_build_object('number', n) FROM generate_series(1, $3::int) n`,
    [events.name, events.consumer, events.count],
  );
}

/** The same for events with payloads of their own. */
export async function announce(
  sql: pg.Client,
  { name, consumer }: { name: string; consumer: string },
  payloads: readonly object[],
): Promise<void> {
  await sql.query(
    `INSERT INTO outbox_events (id, name, consumers, payload)
     SELECT uuidv7(), $1, ARRAY[$2], payload::json FROM unnest($3::text[]) AS payload`,
    [name, consumer, payloads.map((payload) => JSON.stringify(payload))],
  );
}

/** The time by PostgreSQL's clock, in epoch milliseconds, for comparison with its rows. */
export async function databaseNow(sql: pg.Client): Promise<number> {
  const { rows } = await sql.query<{ now: number }>(
    'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now',
  );
  return rows[0]?.now ?? Number.NaN;
}

/** Waits until a consumer has recorded so many events. @returns when it recorded the last one, in epoch milliseconds */
export async function recorded(sql: pg.Client, consumer: string, count: number): Promise<number> {
  const seen = await waitFor(
    async () => {
      const { rows } = await sql.query<{ count: number; last: number }>(
        `SELECT count(*)::int AS count, (extract(epoch FROM max(handled_at)) * 1000)::float8 AS last
         FROM inbox WHERE consumer = $1`,
        [consumer],
      );
      return rows[0]?.count === count && rows[0];
    },
    { within: 300_000, every: 200, what: `${count} events of ${consumer}` },
  );
  return seen.last;
}

/** Waits until the relay has moved so many events of a name. @returns when it claimed the first and the last of them, in epoch milliseconds */
export async function relayed(
  sql: pg.Client,
  name: string,
  count: number,
): Promise<{ first: number; last: number }> {
  // Waiting events have their own index: querying them costs next to nothing while they are few, and the count of the others
  // is only taken once.
  await waitFor(
    async () => {
      const { rows } = await sql.query('SELECT FROM outbox_events WHERE relayed_at IS NULL LIMIT 1');
      return rows.length === 0;
    },
    { within: 300_000, every: 100, what: `${count} relayed events` },
  );
  const { rows } = await sql.query<{ count: number; first: number; last: number }>(
    `SELECT count(*)::int AS count, (extract(epoch FROM min(relayed_at)) * 1000)::float8 AS first,
       (extract(epoch FROM max(relayed_at)) * 1000)::float8 AS last
     FROM outbox_events WHERE name = $1 AND relayed_at IS NOT NULL`,
    [name],
  );
  const [row] = rows;
  if (row?.count !== count) throw new Error(`${row?.count} events were relayed instead of ${count}`);
  return row;
}

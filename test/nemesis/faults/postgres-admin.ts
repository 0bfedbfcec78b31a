import pg from 'pg';
import { waitFor } from '../../../local/wait-for.ts';
import { Prevented } from '../fault.ts';
import type { Random } from '../random.ts';
import type { Rig } from '../rig.ts';

/** SQLSTATE classes of a mistake in the statement itself. */
const MISTAKES = ['22', '23', '42'];

/**
 * Runs statements one after the other in a superuser's session on the present primary, past every proxy and every limit of the
 * application's role.
 * @returns the rows of the last one
 * @throws Prevented when the server is down, or a lock is taken
 */
export async function execute<Row extends pg.QueryResultRow>(
  rig: Rig,
  ...statements: string[]
): Promise<Row[]> {
  const { client, rows } = await open<Row>(rig, ...statements);
  await client.end().catch(() => undefined);
  return rows;
}

/** As `execute`; the session stays open. */
export async function open<Row extends pg.QueryResultRow>(
  rig: Rig,
  ...statements: string[]
): Promise<{ client: pg.Client; rows: Row[] }> {
  const client = new pg.Client({
    connectionString: rig.postgres.primary.adminUrl('holdfast'),
    connectionTimeoutMillis: 3000,
    query_timeout: 30_000,
    lock_timeout: 2000,
    application_name: 'nemesis',
  });
  // Another fault may end the server meanwhile.
  client.on('error', () => undefined);
  try {
    await client.connect();
    let rows: Row[] = [];
    for (const text of statements) ({ rows } = await client.query<Row>(text));
    return { client, rows };
  } catch (error) {
    await client.end().catch(() => undefined);
    throw prevented(error);
  }
}

function prevented(error: unknown): unknown {
  const { code = '', message } = error as { code?: string; message: string };
  const isMistake = /^[0-9A-Z]{5}$/.test(code) && MISTAKES.includes(code.slice(0, 2));
  return isMistake ? error : new Prevented(message, { cause: error });
}

/** For what has to be undone: the server may be restarting, or a lock taken. */
export async function undo(rig: Rig, ...statements: string[]): Promise<void> {
  await waitFor(async () => (await execute(rig, ...statements), true), {
    within: 30_000,
    every: 250,
    what: statements.join('; '),
  });
}

/** As `undo`, of what harms nobody when it remains. */
export async function tidyUp(rig: Rig, ...statements: string[]): Promise<void> {
  await undo(rig, ...statements).catch(() => undefined);
}

/** Ends every session of the application; it connects again at once. */
export const TERMINATE = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE usename = 'holdfast' AND backend_type = 'client backend'`;

/** Tables of the platform that every write of a client touches. */
const HOT = ['outbox_events', 'inbox', 'idempotency_records'];

/** A hot table of the platform, or any other one of the product: which one is known when the schema is. */
export function drawTable(random: Random): { table: string; pick: number } {
  return { table: random.pick([...HOT, 'other', 'other', 'other']), pick: random.integer(0, 999) };
}

export async function tableOf(rig: Rig, { table, pick }: Record<string, unknown>): Promise<string> {
  if (table !== 'other') return String(table);
  const others = await execute<{ name: string }>(
    rig,
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL ('{migrations,${HOT.join()}}')
     ORDER BY tablename`,
  );
  return others[Number(pick) % others.length]!.name;
}

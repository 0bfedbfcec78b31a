import type pg from 'pg';
import type { Finding } from './findings.ts';

/** More than `inBatches` changes at once: a statement that writes more than that is seen to. */
export const ROWS = 1001;

interface Column {
  name: string;
  type: string;
  /** Words of the constraints that allow it some values only. */
  checks: string;
}

/**
 * Fills every empty table of the schema `public` with made-up rows, so that migrations meet rows as they do in production. Foreign keys
 * do not hold between them.
 * @param admin a superuser, who may switch triggers off
 * @returns the tables for which no rows could be made up, with the reason
 */
export async function fillEmptyTables(admin: pg.Client): Promise<string[]> {
  const left: string[] = [];
  for (const table of await tableNames(admin)) {
    const { rowCount } = await admin.query(`SELECT FROM ${table} LIMIT 1`);
    if (rowCount) continue;
    const refusal = await refusalOf(admin, await insertInto(admin, table), [1, ROWS]);
    if (refusal) left.push(`${table}: ${refusal.message}`);
  }
  return left;
}

/** What the release that knows the schema as it is now sends to insert a row, by table. */
export async function inserts(admin: pg.Client): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const table of await tableNames(admin)) found.set(table, await insertInto(admin, table));
  return found;
}

/** NOT NULL violated, CHECK violated, no such column. */
const REFUSED = ['23502', '23514', '42703'];

/** Those of an earlier release's inserts that the schema refuses now. */
export async function refused(admin: pg.Client, earlier: ReadonlyMap<string, string>): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [table, insert] of earlier) {
    const refusal = await refusalOf(admin, insert, [ROWS + 1, ROWS + 1]);
    if (refusal && REFUSED.includes(refusal.code ?? ''))
      findings.push({
        rule: 'refuses-inserts',
        message: `The release before it can no longer insert into ${table}: ${refusal.message}.`,
      });
  }
  return findings;
}

async function refusalOf(
  admin: pg.Client,
  insert: string,
  numbers: [first: number, last: number],
): Promise<(Error & { code?: string }) | undefined> {
  await admin.query('SET session_replication_role = replica');
  try {
    await admin.query(insert, numbers);
    return undefined;
  } catch (error) {
    return error as Error;
  } finally {
    await admin.query('RESET session_replication_role');
  }
}

async function insertInto(admin: pg.Client, table: string): Promise<string> {
  const columns = await columnsToFill(admin, table);
  const names = columns.map(({ name }) => name).join(', ');
  return `INSERT INTO ${table} ${names && `(${names})`}
    SELECT ${columns.map(valueOf).join(', ')} FROM generate_series($1::int, $2::int) AS n`;
}

/** Removes the rows of all tables. */
export async function emptyTables(admin: pg.Client): Promise<void> {
  const names = await tableNames(admin);
  if (names.length > 0) await admin.query(`TRUNCATE ${names.join(', ')}`);
}

async function tableNames(admin: pg.Client): Promise<string[]> {
  const { rows } = await admin.query<{ name: string }>(
    `SELECT format('%I', relname) AS name FROM pg_class
     WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'migrations' ORDER BY oid`,
  );
  return rows.map(({ name }) => name);
}

async function columnsToFill(admin: pg.Client, table: string): Promise<Column[]> {
  const { rows } = await admin.query<Column>(
    `SELECT format('%I', attname) AS name, format_type(atttypid, atttypmod) AS type,
       coalesce((SELECT string_agg(pg_get_constraintdef(oid), ' ') FROM pg_constraint
         WHERE conrelid = attrelid AND contype = 'c' AND conkey = ARRAY[attnum]), '') AS checks
     FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped
       AND NOT atthasdef AND attidentity = ''
       AND (attnotnull OR EXISTS (SELECT FROM pg_constraint WHERE conrelid = attrelid AND contype = 'c'
         AND conkey = ARRAY[attnum] AND pg_get_constraintdef(oid) LIKE '%IS NOT NULL%'))`,
    [table],
  );
  return rows;
}

/** An expression over the number `n` of the row. */
function valueOf({ type, checks }: Column): string {
  const [, allowed] = /ARRAY\[('(?:[^']|'')*')/.exec(checks) ?? /= ('(?:[^']|'')*')/.exec(checks) ?? [];
  if (allowed !== undefined) return `${allowed}::${type}`;
  if (type.endsWith('[]')) return `'{}'::${type}`;
  if (/^(json|jsonb)$/.test(type)) return `'{}'::${type}`;
  if (/^(smallint|integer|bigint|numeric|real|double)/.test(type)) return 'n';
  if (/^(timestamp|date|time)/.test(type)) return 'now()';
  if (type === 'uuid') return 'uuidv7()';
  if (type === 'boolean') return 'false';
  if (type === 'bytea') return `sha256(n::text::bytea)`;
  const [, length = 32] = /^character(?: varying)?\((\d+)\)/.exec(type) ?? [];
  return `left(md5(n::text), ${length})`;
}

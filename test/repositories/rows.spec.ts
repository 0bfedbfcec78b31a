import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Project } from '../architecture/project.js';
import { declaredStatements, type DeclaredStatement } from '../support/declared-rows.ts';
import { describeRows, type DescribedColumn } from '../support/described-rows.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';

/** What the driver makes of PostgreSQL's types (`data-source.ts` sets some of its parsers). */
const VALUES: Record<string, string> = {
  uuid: 'string',
  text: 'string',
  character: 'string',
  'character varying': 'string',
  inet: 'string',
  numeric: 'string',
  smallint: 'number',
  integer: 'number',
  bigint: 'number',
  'double precision': 'number',
  boolean: 'boolean',
  'timestamp with time zone': 'Date',
  bytea: 'Buffer',
  json: 'object',
  jsonb: 'object',
};

/** PostgreSQL does not say whether an expression is ever null, nor that a statement has just set a column. These never are. */
const NEVER_NULL = new Set([
  // Made of columns and constants that are never null.
  'retried: (cardinality(s.successor_hashes) > 1)',
  'overdue: ((payments.charging_until + make_interval(0, 0, 0, 0, 0, 0, $2)) < now())',
  "locked: pg_try_advisory_xact_lock(hashtextextended($1, '0'::bigint))",
  'payload: (outbox_events.payload)::text',
  "occurredAt: (floor((EXTRACT(epoch FROM outbox_events.occurred_at) * '1000'::numeric)))::double precision",
  "due: (checked.owed <> '{}'::text[])",
  "again: ((checked.owed <> '{}'::text[]) AND (outbox_events.relay_attempts > 0))",
  // Every order has items.
  'items: (SubPlan 1)',
  'items: ((SubPlan 1))',
  // Set by the statement itself.
  'until: idempotency_records.locked_until',
  'until: locked_until',
  'claimedAt: outbox_events.relayed_at',
]);

function differences({ place, columns }: DeclaredStatement, described: DescribedColumn[]): string[] {
  const declared = new Map(columns.map((column) => [column.name, column]));
  return [
    ...described.flatMap(({ name, sqlType, nullable, expression }) => {
      const column = declared.get(name);
      if (!column) return [`"${name}" is not declared`];
      declared.delete(name);
      const value = sqlType.endsWith('[]') ? `${VALUES[sqlType.slice(0, -2)]}[]` : VALUES[sqlType];
      const found: string[] = [];
      if (!/^[a-z][A-Za-z]*$/.test(name)) found.push(`"${name}" is not camelCase`);
      if (column.type !== value)
        found.push(`"${name}" is ${sqlType} (${value}), and declared as ${column.type}`);
      if (nullable && !column.nullable && !NEVER_NULL.has(`${name}: ${expression}`))
        found.push(`"${name}" may be null (${expression}), and is declared as never null`);
      if (!nullable && column.nullable) found.push(`"${name}" is never null, and declared as nullable`);
      return found;
    }),
    ...[...declared.keys()].map((name) => `"${name}" is declared, and not selected`),
  ].map((difference) => `${place}: ${difference}`);
}

describe('The rows of named SQL', () => {
  let db: TestDatabase;
  let client: pg.Client;

  beforeAll(async () => {
    db = await openTestDatabase();
    client = new pg.Client(db.settings.database.url);
    await client.connect();
  });

  afterAll(async () => {
    await client?.end();
    await db?.close();
  });

  async function check(project: Project): Promise<string[]> {
    const found: string[] = [];
    for (const statement of declaredStatements(project))
      found.push(
        ...(await describeRows(client, statement.text).then(
          (described) => differences(statement, described),
          (error: Error) => [`${statement.place}: ${error.message}`],
        )),
      );
    return found;
  }

  it('have the names, types and nullability that PostgreSQL gives them', async () => {
    const project = new Project(join(import.meta.dirname, '../..'));
    expect(declaredStatements(project).length).toBeGreaterThan(10);
    expect(await check(project)).toEqual([]);
  }, 180_000);

  describe('that are declared wrongly', () => {
    let root: string;

    beforeEach(() => {
      root = mkdtempSync(join(tmpdir(), 'rows-'));
      mkdirSync(join(root, 'src/platform/database'), { recursive: true });
      writeFileSync(
        join(root, 'src/platform/database/database.ts'),
        `export class Database {
          query<T>(statement: { text: string }): Promise<T[]> { throw new Error(statement.text); }
          queryOne<T>(statement: { text: string }): Promise<T | undefined> { throw new Error(statement.text); }
        }`,
      );
    });

    afterEach(() => rmSync(root, { recursive: true }));

    /** What is found in a feature that sends these statements. */
    function found(...calls: string[]): Promise<string[]> {
      const source = `import type { Database } from './platform/database/database.js';
        const COLUMNS = 'id, key';
        export function send(database: Database, text: string) { return [${calls.join(',')}]; }`;
      writeFileSync(join(root, 'src/feature.ts'), source);
      return check(new Project(root));
    }

    it('are found by name, type and naming', async () => {
      expect(
        await found(
          `database.query<{ id: number; key: string | null; other: string }>({ text: \`SELECT \${COLUMNS} FROM outbox_events\` })`,
          `database.queryOne<{ request_id: string | null }>({ text: 'SELECT request_id, name FROM outbox_events' })`,
        ),
      ).toEqual([
        'src/feature.ts:3: "id" is uuid (string), and declared as number',
        'src/feature.ts:3: "other" is declared, and not selected',
        'src/feature.ts:3: "request_id" is not camelCase',
        'src/feature.ts:3: "name" is not declared',
      ]);
    }, 180_000);

    it('are found by what may be null', async () => {
      const joined = 'FROM outbox_events e LEFT JOIN inbox i ON i.event_id = e.id';
      expect(
        await found(
          `database.query<{ id: string | null; key: string }>({ text: \`SELECT \${COLUMNS} FROM outbox_events\` })`,
          `database.query<{ id: string; consumer: string }>({ text: 'SELECT e.id, i.consumer ${joined}' })`,
          `database.query<{ most: number }>({ text: 'SELECT max(relay_attempts) AS most FROM outbox_events' })`,
        ),
      ).toEqual([
        'src/feature.ts:3: "id" is never null, and declared as nullable',
        'src/feature.ts:3: "key" may be null (key), and is declared as never null',
        'src/feature.ts:3: "consumer" may be null (i.consumer), and is declared as never null',
        'src/feature.ts:3: "most" may be null (max(relay_attempts)), and is declared as never null',
      ]);
    }, 180_000);

    it('are found by a statement that PostgreSQL rejects', async () => {
      const rejected = `database.query<{ id: string }>({ text: 'SELECT id FROM nowhere' })`;
      expect(await found(rejected)).toEqual(['src/feature.ts:3: relation "nowhere" does not exist']);
    }, 180_000);

    it('cannot hide behind a text that is not constant', async () => {
      await expect(found('database.query<{ id: string }>({ text })')).rejects.toThrow(
        'src/feature.ts:3 `text` is no constant',
      );
    }, 180_000);
  });
});

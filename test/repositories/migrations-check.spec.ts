import type { MigrationInterface, QueryRunner } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPostgres, type PostgresServer } from '../../local/servers/postgres.ts';
import { buildIndex } from '../../migrations/lib/build-index.ts';
import { inBatches } from '../../migrations/lib/in-batches.ts';
import { candidates } from '../../scripts/lib/migrations/candidates.ts';
import { checkMigrations, type Candidate } from '../../scripts/lib/migrations/check.ts';

let server: PostgresServer;
let databases = 0;

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

type Up = string[] | ((runner: QueryRunner) => Promise<unknown>);

function candidate(up: Up, more: Partial<Candidate> & { transaction?: boolean } = {}): Candidate {
  const { transaction, ...rest } = more;
  const migration: MigrationInterface = {
    ...(transaction !== undefined && { transaction }),
    up: async (runner) => {
      if (typeof up === 'function') await up(runner);
      else for (const statement of up) await runner.query(statement);
    },
    down: () => Promise.resolve(),
  };
  return { name: 'planted', migration, source: '', released: false, ...rest };
}

/** What was there before. */
const released = candidate(
  [
    `CREATE TABLE books (
       id uuid PRIMARY KEY, title text NOT NULL, price integer NOT NULL CHECK (price >= 0), note text,
       state text NOT NULL CHECK (state IN ('lent', 'in')), added_at timestamptz NOT NULL)`,
    'CREATE TABLE readers (id uuid PRIMARY KEY, name text NOT NULL, favourite_id uuid)',
  ],
  { released: true },
);

async function rulesOf(...pending: Candidate[]): Promise<string[]> {
  const { findings, empty } = await checkMigrations(server, [released, ...pending], `check_${++databases}`);
  expect(empty).toEqual([]);
  return [...new Set(findings.map(({ rule }) => rule))].toSorted();
}

describe('the check of migrations finds', () => {
  it.each<[fault: string, up: Up, rule: string]>([
    [
      'an index built while nobody may write',
      ['CREATE INDEX by_title ON books (title)'],
      'reads-all-rows-under-lock',
    ],
    ['a required column', ['ALTER TABLE books ADD COLUMN isbn text NOT NULL'], 'fails'],
    [
      'a default that differs by row',
      ['ALTER TABLE books ADD COLUMN code uuid DEFAULT uuidv7()'],
      'rewrites-table',
    ],
    ['another type', ['ALTER TABLE books ALTER COLUMN price TYPE bigint'], 'rewrites-table'],
    [
      'a check of all rows under lock',
      ['ALTER TABLE books ADD CONSTRAINT cheap CHECK (price < 1000000)'],
      'reads-all-rows-under-lock',
    ],
    [
      'a NOT NULL that no constraint has prepared',
      [
        'ALTER TABLE books ALTER COLUMN title DROP NOT NULL',
        'ALTER TABLE books ALTER COLUMN title SET NOT NULL',
      ],
      'reads-all-rows-under-lock',
    ],
    ['a dropped column', ['ALTER TABLE books DROP COLUMN note'], 'ban-drop-column'],
    ['a renamed column', ['ALTER TABLE books RENAME COLUMN note TO remark'], 'renaming-column'],
    ['a renamed table', ['ALTER TABLE books RENAME TO titles'], 'renaming-table'],
    ['all rows in one transaction', [`UPDATE books SET note = 'old'`], 'writes-many-rows-at-once'],
    [
      'rows written behind a lock that is held',
      ['ALTER TABLE books ADD COLUMN shelf text', `UPDATE books SET shelf = 'A' WHERE title LIKE 'a%'`],
      'works-under-lock',
    ],
    [
      'two tables locked in turn',
      ['ALTER TABLE books ADD COLUMN shelf text', 'ALTER TABLE readers ADD COLUMN shelf text'],
      'locks-second-table',
    ],
    [
      'what the release before it does not insert',
      ['ALTER TABLE books ADD CONSTRAINT noted CHECK (note IS NOT NULL) NOT VALID'],
      'refuses-inserts',
    ],
    [
      'what is hidden in a block',
      [`DO $$ BEGIN EXECUTE 'ALTER TABLE ' || 'books ALTER COLUMN price TYPE bigint'; END $$`],
      'rewrites-table',
    ],
    [
      'an index built concurrently in a transaction',
      ['CREATE INDEX CONCURRENTLY by_title ON books (title)'],
      'fails',
    ],
  ])('%s', async (_, up, rule) => {
    expect(await rulesOf(candidate(up))).toContain(rule);
  });

  it('nothing in a change that goes by way of expanding', async () => {
    const outside = { transaction: false };
    expect(
      await rulesOf(
        candidate(['ALTER TABLE books ADD COLUMN shelf text']),
        candidate(['ALTER TABLE books ADD CONSTRAINT on_a_shelf CHECK (shelf IS NOT NULL) NOT VALID'], {
          source: '// migrations:check allows refuses-inserts: release 1.4 and later give every book a shelf',
        }),
        candidate(
          (runner) => inBatches(runner, { table: 'books', set: `shelf = 'A'`, where: 'shelf IS NULL' }),
          outside,
        ),
        candidate(['ALTER TABLE books VALIDATE CONSTRAINT on_a_shelf']),
        candidate(['ALTER TABLE books ALTER COLUMN shelf SET NOT NULL']),
        candidate((runner) => buildIndex(runner, 'by_shelf', 'ON books (shelf)'), outside),
        candidate([
          'CREATE TABLE loans (id uuid PRIMARY KEY, book_id uuid NOT NULL REFERENCES books)',
          'CREATE INDEX loans_of_book ON loans (book_id, id)',
        ]),
      ),
    ).toEqual([]);
  });

  it('nothing about a migration that was released', async () => {
    expect(await rulesOf(candidate(['ALTER TABLE books DROP COLUMN note'], { released: true }))).toEqual([]);
  });
});

describe('an override', () => {
  const dropping = (source: string): Candidate =>
    candidate(['ALTER TABLE books DROP COLUMN note'], { source });

  it('lets a finding pass with a reason', async () => {
    const source = '// migrations:check allows ban-drop-column: release 1.4 was the last one to read it';
    expect(await rulesOf(dropping(source))).toEqual([]);
  });

  it.each([
    ['// migrations:check allows ban-drop-column', 'override-without-reason'],
    ['// migrations:check allows ban-drop-column: trust me', 'override-without-reason'],
    [
      '// migrations:check allows ban-drop-column, rewrites-table: release 1.4 was the last one to read it',
      'override-without-use',
    ],
  ])('is itself a finding: %s', async (source, rule) => {
    expect(await rulesOf(dropping(source))).toEqual([rule]);
  });
});

describe('the migrations of this repository', () => {
  it('are clean, on tables that have rows', async () => {
    expect(await checkMigrations(server, await candidates())).toEqual({ findings: [], empty: [] });
  });
});

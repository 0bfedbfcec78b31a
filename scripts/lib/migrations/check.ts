import pg from 'pg';
import { DataSource, type MigrationInterface } from 'typeorm';
import type { PostgresServer } from '../../../local/servers/postgres.ts';
import { withoutOverridden, type Finding } from './findings.ts';
import { emptyTables, fillEmptyTables, inserts, refused } from './rows.ts';
import { squawk } from './squawk.ts';
import { FAILS, trace } from './trace.ts';

export interface Candidate {
  name: string;
  migration: MigrationInterface;
  /** The text of its file, for its overrides. */
  source: string;
  /** It is applied and not checked: it can no longer be changed. */
  released: boolean;
}

export interface CheckResult {
  findings: (Finding & { migration: string })[];
  /** Tables that stayed empty, with the reason: about these the check says less. */
  empty: string[];
}

/**
 * Applies migrations one by one to an empty database, in tables that have rows, and collects what each would do to a product in use.
 * @param database to be created on the server, and dropped in the end
 */
export async function checkMigrations(
  server: PostgresServer,
  candidates: readonly Candidate[],
  database = 'migrations_check',
): Promise<CheckResult> {
  const root = new pg.Client(server.adminUrl());
  await root.connect();
  await root.query(`CREATE DATABASE ${database}`);
  const admin = new pg.Client(server.adminUrl(database));
  const dataSource = new DataSource({ type: 'postgres', url: server.adminUrl(database), poolSize: 1 });
  const result: CheckResult = { findings: [], empty: [] };
  try {
    await admin.connect();
    await dataSource.initialize();
    const runner = dataSource.createQueryRunner();
    for (const { name, migration, source, released } of candidates) {
      const earlier = await inserts(admin);
      const { statements, findings } = await trace(runner, migration);
      if (findings.some(({ rule }) => rule === FAILS)) {
        // So that those after it can be checked.
        await emptyTables(admin);
        await trace(runner, migration);
      }
      if (!released) {
        findings.push(
          ...(await refused(admin, earlier)),
          ...squawk(statements, migration.transaction !== false),
        );
        const left = withoutOverridden(findings, source);
        result.findings.push(...left.map((finding) => ({ migration: name, ...finding })));
      }
      result.empty = await fillEmptyTables(admin);
    }
    await runner.release();
  } finally {
    await dataSource.destroy();
    await admin.end();
    await root.query(`DROP DATABASE ${database} WITH (FORCE)`);
    await root.end();
  }
  return result;
}

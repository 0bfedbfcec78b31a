import type { QueryRunner } from 'typeorm';

/**
 * Builds an index while its table is read and written. It waits for transactions that are older than itself, not for a lock for which
 * others queue up behind it, so it may wait for as long as it takes. What an interrupted run left behind is an invalid index, which
 * is dropped first. For migrations with `transaction = false`.
 * @param definition what follows its name: `ON users (created_at) WHERE deleted_at IS NULL`
 */
export async function buildIndex(
  runner: QueryRunner,
  name: string,
  definition: string,
  options: { unique?: boolean } = {},
): Promise<void> {
  await runner.query('SET lock_timeout = 0');
  try {
    await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
    await runner.query(`CREATE ${options.unique ? 'UNIQUE ' : ''}INDEX CONCURRENTLY ${name} ${definition}`);
  } finally {
    await runner.query('RESET lock_timeout');
  }
}

/** Reverts {@link buildIndex}. */
export async function dropIndex(runner: QueryRunner, name: string): Promise<void> {
  await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
}

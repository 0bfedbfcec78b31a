import { vi } from 'vitest';
import { PooledConnection } from '../../src/platform/database/pooled-connection.js';
import type { TestDatabase } from './test-database.ts';

/** PostgreSQL's plan, as JSON, of the last statement that `work` sends. One at a time. */
export async function planOf({ database }: TestDatabase, work: () => Promise<unknown>): Promise<string> {
  const sent = vi.spyOn(PooledConnection.prototype, 'send');
  await work();
  const [statement] = sent.mock.lastCall ?? [];
  sent.mockRestore();
  return JSON.stringify(
    await database.query({ text: `EXPLAIN (FORMAT JSON) ${statement?.text}`, values: statement?.values }),
  );
}

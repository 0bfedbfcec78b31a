import type { DataSource } from 'typeorm';
import type { ConnectionPool, LentConnection } from './connection-pool.js';
import { ask } from './connections.js';
import { breaksConnection, located, translateDatabaseError } from './database.errors.js';

/** Reading on a machine that is busy with something else may be slow; only a server that is gone must not hold us. */
const FETCH_TIMEOUT_MS = 60_000;

/**
 * Rows of a large result in batches, from a server-side cursor: memory stays that of one batch, and all batches show the
 * database at one moment. It has a connection of its own until the iteration ends, also by `break` or an error.
 * @param statement a SELECT; its order is the caller's business
 * @param batchSize rows that are fetched at once
 * @throws TransientError when PostgreSQL is away or the consumer took more than a minute for a batch
 */
export async function* streamRows<T>(
  dataSource: DataSource,
  statement: { text: string; values?: unknown[] },
  batchSize: number,
): AsyncGenerator<T[], void, undefined> {
  const { master } = dataSource.driver as unknown as { master: ConnectionPool };
  let client: LentConnection | undefined;
  let broken: Error | undefined;
  const guard = async <R>(work: Promise<R>): Promise<R> => {
    try {
      return await work;
    } catch (error) {
      if (breaksConnection(error)) broken = error as Error;
      throw translateDatabaseError(located(error));
    }
  };
  try {
    const connection = (client = await guard(master.lend()));
    client.readOnly = true;
    const send = (text: string, values?: unknown[]) =>
      guard(ask(connection, { text, values }, FETCH_TIMEOUT_MS));
    await send('START TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await send(`SET LOCAL statement_timeout = ${FETCH_TIMEOUT_MS}`);
    await send(`SET LOCAL idle_in_transaction_session_timeout = ${FETCH_TIMEOUT_MS}`);
    await send(`DECLARE stream NO SCROLL CURSOR FOR ${statement.text}`, statement.values);
    for (;;) {
      const { rows } = await send(`FETCH FORWARD ${Math.trunc(batchSize)} FROM stream`);
      if (rows.length > 0) yield rows as T[];
      if (rows.length < batchSize) break;
    }
  } finally {
    if (client && !broken) {
      // There is nothing to commit; a connection that cannot even roll back is thrown away.
      await guard(ask(client, 'ROLLBACK', FETCH_TIMEOUT_MS)).catch(() => undefined);
    }
    if (client) {
      client.readOnly = false;
      client.release(broken);
    }
  }
}

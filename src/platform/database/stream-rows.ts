import type { ConnectionPool } from './connection-pool.js';
import { located, translateDatabaseError } from './database.errors.js';
import type { LentConnection } from './pooled-connection.js';

/** Reads may be slow on a busy machine; the limit is only for a server that is gone. */
const FETCH_TIMEOUT_MS = 60_000;

/**
 * Rows of a large result in batches, from a server-side cursor: memory stays that of one batch, and all batches show the
 * database at one moment. It has its own connection until the iteration ends, also by `break` or an error.
 * @param statement a SELECT; the caller defines its order
 * @param batchSize rows that are fetched at once
 * @throws TransientError when PostgreSQL is down or the consumer took more than a minute for a batch
 */
export async function* streamRows<T>(
  pool: ConnectionPool,
  statement: { text: string; values?: unknown[] },
  batchSize: number,
): AsyncGenerator<T[], void, undefined> {
  let client: LentConnection | undefined;
  try {
    const connection = (client = await pool.lend());
    client.readOnly = true;
    const send = (text: string, values?: unknown[]) =>
      connection.send({ text, values, timeoutMs: FETCH_TIMEOUT_MS });
    await send('START TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await send(`SET LOCAL statement_timeout = ${FETCH_TIMEOUT_MS}`);
    await send(`SET LOCAL idle_in_transaction_session_timeout = ${FETCH_TIMEOUT_MS}`);
    await send(`DECLARE stream NO SCROLL CURSOR FOR ${statement.text}`, statement.values);
    for (;;) {
      const { rows } = await send(`FETCH FORWARD ${Math.trunc(batchSize)} FROM stream`);
      if (rows.length > 0) yield rows as T[];
      if (rows.length < batchSize) break;
    }
  } catch (error) {
    throw translateDatabaseError(located(error));
  } finally {
    // There is nothing to commit; a connection that cannot even roll back is dropped.
    if (client && !client.unfit) await client.control('ROLLBACK', FETCH_TIMEOUT_MS).catch(() => undefined);
    client?.giveBack();
  }
}

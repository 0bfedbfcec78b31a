import type pg from 'pg';
import { TransientError } from '../errors/index.js';
import { RequestContext } from '../context/index.js';

/** A statement of pg: `name` makes it a prepared statement, parsed and planned once per connection. */
export interface Statement {
  name?: string;
  text: string;
  values?: unknown[];
  /** Milliseconds this one may go unanswered, where the pool's `DATABASE_QUERY_TIMEOUT_MS` does not fit (exports, sweeps). */
  query_timeout?: number;
}

/**
 * Sends a statement on a connection for the request at hand: not at all when the request was given up, for no longer than
 * its deadline, and cancelled when its client goes away while it runs.
 * @param cancel ends what the backend of that process id is doing
 * @param abandon tells that the connection must not be used again: the cancellation may reach it late
 */
export async function sendForRequest(
  client: pg.PoolClient,
  statement: Statement,
  timeoutMs: number,
  cancel: (processId: number) => void,
  abandon: (reason: Error) => void,
): Promise<pg.QueryResult> {
  const context = RequestContext.current();
  if (!context) return client.query(statement);
  if (context.abandoned) throw context.abandoned;
  const { remainingMs } = context;
  if (remainingMs === 0)
    throw new TransientError({ code: 'deadline-exceeded', detail: 'The request took too long.' });
  const forget = context.onAbort((reason) => {
    abandon(reason);
    cancel((client as pg.PoolClient & { processID: number }).processID);
  });
  try {
    return await client.query(
      remainingMs < timeoutMs ? { ...statement, query_timeout: remainingMs } : statement,
    );
  } finally {
    forget();
  }
}

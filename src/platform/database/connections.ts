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

/** Requests that may wait for a connection, for each connection there is. Beyond that a wait would end in a 503 anyway. */
const WAITERS_PER_CONNECTION = 20;

/**
 * Bounds the wait for connections in number; pg-pool bounds it in time.
 * @throws TransientError `database-saturated` when too many already wait.
 */
export function refuseWhenSaturated(pool: pg.Pool): void {
  if (pool.waitingCount < (pool.options.max ?? 10) * WAITERS_PER_CONNECTION) return;
  throw new TransientError({
    code: 'database-saturated',
    detail: 'Too many requests wait for the database. Try again.',
  });
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

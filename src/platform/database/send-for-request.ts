import type pg from 'pg';
import { RequestContext } from '../context/index.js';
import { TransientError } from '../errors/index.js';
import { cancelRequest } from './cancel-request.js';
import { askTraced, isReadTimeout, type Statement } from './connections.js';

/**
 * Sends a statement on a connection for the request at hand: not at all when the request was given up, for no longer than
 * its deadline, and cancelled when its client goes away while it runs.
 * @param abandon tells that the connection must not be used again: the cancellation may reach it late
 */
export async function sendForRequest(
  client: pg.PoolClient,
  statement: Statement,
  timeoutMs: number,
  abandon: (reason: Error) => void,
): Promise<pg.QueryResult> {
  const limitMs = statement.timeoutMs ?? timeoutMs;
  const context = RequestContext.current();
  if (!context) return askTraced(client, statement, limitMs);
  if (context.abandoned) throw context.abandoned;
  const { remainingMs } = context;
  if (remainingMs === 0) throw deadlineExceeded();
  const forget = context.onAbort((reason) => {
    abandon(reason);
    cancelRequest(client);
  });
  try {
    return await askTraced(client, statement, Math.min(limitMs, remainingMs));
  } catch (error) {
    if (!isReadTimeout(error) || remainingMs > limitMs) throw error;
    // This request had little time left. That says nothing about PostgreSQL, but the connection is cut.
    abandon(error as Error);
    throw deadlineExceeded(error);
  } finally {
    forget();
  }
}

function deadlineExceeded(cause?: unknown): TransientError {
  return new TransientError({ code: 'deadline-exceeded', detail: 'The request took too long.', cause });
}

import type pg from 'pg';
import { RequestContext } from '../context/index.js';
import { TransientError } from '../errors/index.js';
import { askTraced, type Statement } from './connections.js';

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
  const limitMs = statement.timeoutMs ?? timeoutMs;
  const context = RequestContext.current();
  if (!context) return askTraced(client, statement, limitMs);
  if (context.abandoned) throw context.abandoned;
  const { remainingMs } = context;
  if (remainingMs === 0)
    throw new TransientError({ code: 'deadline-exceeded', detail: 'The request took too long.' });
  const forget = context.onAbort((reason) => {
    abandon(reason);
    cancel((client as pg.PoolClient & { processID: number }).processID);
  });
  try {
    return await askTraced(client, statement, Math.min(limitMs, remainingMs));
  } finally {
    forget();
  }
}

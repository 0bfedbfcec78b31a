import type pg from 'pg';
import { TransientError } from '../errors/index.js';

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
 * Takes a connection out of a pool, refusing at once when too many already wait.
 * @throws TransientError when the queue is full; the driver's error when none came in time.
 */
export function acquire(pool: pg.Pool): Promise<pg.PoolClient> {
  if (pool.waitingCount >= (pool.options.max ?? 10) * WAITERS_PER_CONNECTION) {
    return Promise.reject(
      new TransientError({ code: 'database-saturated', detail: 'Too many requests wait for the database. Try again.' }),
    );
  }
  return pool.connect();
}

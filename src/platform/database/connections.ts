import type { Duplex } from 'node:stream';
import pg from 'pg';
import { atEndOfTurn, Members } from '../runtime/index.js';
import { traceStep } from '../observability/index.js';
import { cancelRequest } from './cancel-request.js';
import type { PooledConnection } from './connection-pool.js';

/** A statement of pg: `name` makes it a prepared statement, parsed and planned once per connection. */
export interface Statement {
  name?: string;
  text: string;
  values?: unknown[];
  /** Milliseconds this one may go unanswered, where the pool's `DATABASE_QUERY_TIMEOUT_MS` does not fit (exports, sweeps). */
  timeoutMs?: number;
}

/** How often statements under way are looked at for one that takes too long, in milliseconds. */
const WATCH_EVERY_MS = 20;

const READ_TIMEOUT = 'Query read timeout';

/** True for the error of `ask` when no answer came in time. */
export function isReadTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === READ_TIMEOUT;
}

/** A statement that has been sent. */
interface UnderWay {
  giveUpAt: number;
  giveUp: () => void;
}

const underWay = new Members<UnderWay>();
let watch: NodeJS.Timeout | undefined;

function giveUpLateOnes(): void {
  if (underWay.size === 0) {
    clearInterval(watch);
    watch = undefined;
  }
  const now = performance.now();
  // After a stall of this process timers run before sockets: what has been answered meanwhile is read first.
  for (const one of underWay) if (now >= one.giveUpAt) setImmediate(one.giveUp);
}

type TimedClient = pg.ClientBase & {
  connectionParameters: { query_timeout: number };
  connection: { stream: Duplex };
};

/**
 * Sends a statement by pg's callback, at the end of this turn together with others, and with one timer for all statements instead of
 * pg's for each. Whatever pg's promises and timers hold survives each scavenge (pg 8.23, Node 26): of an export of a million rows 300
 * bytes per row filled the old generation, and of requests most of what they allocate.
 * @throws Error `Query read timeout` after `timeoutMs`, the statement is cancelled and the connection
 *   cut: its answer would reach the next statement
 */
export function ask(
  client: pg.ClientBase,
  statement: Statement | string,
  timeoutMs: number,
): Promise<pg.QueryResult<pg.QueryResultRow>> {
  const { connectionParameters, connection } = client as TimedClient;
  const { stream } = connection;
  if (stream.writableCorked === 0) {
    stream.cork();
    atEndOfTurn(() => stream.uncork());
  }
  return new Promise((resolve, reject) => {
    const one: UnderWay = {
      giveUpAt: performance.now() + timeoutMs,
      giveUp: () => {
        if (!underWay.delete(one)) return;
        reject(new Error(READ_TIMEOUT));
        cancelRequest(client);
        stream.destroy();
      },
    };
    underWay.add(one);
    watch ??= setInterval(giveUpLateOnes, WATCH_EVERY_MS).unref();
    const answered = (error: Error | null | undefined, result: pg.QueryResult<pg.QueryResultRow>) => {
      underWay.delete(one);
      if (error) reject(error);
      else resolve(result);
    };
    const pgTimeout = connectionParameters.query_timeout;
    connectionParameters.query_timeout = 0;
    try {
      client.query(queryOf(client, statement, answered));
    } finally {
      // For what does not come this way: TypeORM's manager.
      connectionParameters.query_timeout = pgTimeout;
    }
  });
}

class Query extends pg.Query {
  declare name?: string;
}

/**
 * pg's own query, made from the text and given its name afterwards: of a configuration object pg copies all property descriptors, which
 * was 3 % of a read. It has no name where nothing can be prepared.
 */
function queryOf(
  client: pg.ClientBase,
  statement: Statement | string,
  answered: (error: Error | undefined, result: pg.QueryResult) => void,
): Query {
  if (typeof statement === 'string') return new Query(statement, answered as QueryCallback);
  const query = new Query(statement.text, statement.values, answered as QueryCallback);
  if ((client as Partial<PooledConnection>).namedStatements !== false) query.name = statement.name;
  return query;
}

/** The types of pg name an inner class for the result of a query of one's own; it is the result of any other. */
type QueryCallback = ConstructorParameters<typeof pg.Query>[2];

/** `ask`, recorded as a step of the work at hand: by its name, with its text, without its values. */
export function askTraced(
  client: pg.ClientBase,
  statement: Statement | string,
  timeoutMs: number,
): Promise<pg.QueryResult> {
  const { name, text } = typeof statement === 'string' ? { name: statement, text: statement } : statement;
  return traceStep(`pg.query:${name ?? 'unnamed'}`, () => ask(client, statement, timeoutMs), {
    'db.system.name': 'postgresql',
    'db.query.text': text,
  });
}

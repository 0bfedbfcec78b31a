import type { Duplex } from 'node:stream';
import pg from 'pg';
import { RequestContext } from '../context/index.js';
import { TransientError } from '../errors/index.js';
import { traceStep } from '../observability/index.js';
import { atEndOfTurn, isFast, unwatch, watch, type Watched } from '../fast/index.js';
import { cancelRequest } from './cancel-request.js';
import { breaksConnection, isOutage, READ_TIMEOUT } from './database.errors.js';
import { operationOf, type PoolMetrics } from './database.metrics.js';
import type { RecentWrites } from './recent-writes.js';

/** A statement of pg: `name` makes it a prepared statement, parsed and planned once per connection. */
export interface Statement {
  name?: string;
  text: string;
  values?: unknown[];
  /** Milliseconds this one may go unanswered, where the pool's `DATABASE_QUERY_TIMEOUT_MS` does not fit (exports, sweeps). */
  timeoutMs?: number;
}

/** What a pool requires of its connections. */
export interface ConnectionTerms {
  /** How long a statement may go unanswered. */
  queryTimeoutMs: number;
  /** Whether statements with a name are prepared under it. */
  namedStatements: boolean;
  metrics?: PoolMetrics;
  writes?: RecentWrites;
}

/** A borrowed connection; return it with `giveBack`. */
export type LentConnection = PooledConnection & pg.PoolClient;

type Answered = (error: Error | undefined, result: pg.QueryResult) => void;

type ServerMessages = {
  on(
    event: 'parameterStatus',
    listener: (status: { parameterName: string; parameterValue: string }) => void,
  ): void;
  on(event: 'errorMessage', listener: (error: Error) => void): void;
  stream: Duplex;
};

/**
 * How long a statement may go on after its client has disconnected. Most end within it. A cancellation costs PostgreSQL a process,
 * and waits for it.
 */
const CANCEL_AFTER_MS = 50;

/** Ending a transaction does not depend on the request: a cancelled request must still roll back. */
const ENDS_TRANSACTION = /^(?:COMMIT|ROLLBACK)\b/;

/** A statement that may write. A false match, such as a column's name, only costs a read from the primary. */
const WRITES = /\b(?:INSERT|UPDATE|DELETE|MERGE)\b/i;

/**
 * A connection of ours: every statement on it, from TypeORM or named SQL, is bounded by a timeout and by the request's deadline,
 * is cancelled when the request is cancelled, and is traced and measured. It knows whether it can still be used.
 */
export class PooledConnection extends pg.Client {
  /** It got an error that every connection of its age will get: the failed statement may be sent again on another one. */
  outdated = false;
  /** The current transaction must write nothing. */
  readOnly = false;
  /** A statement on it may have written since it was lent. */
  wrote = false;
  /** What the server reports at connect (`in_hot_standby`, PostgreSQL 14 and later). */
  reportsStandby = false;
  generation = 0;
  terms: ConnectionTerms = { queryTimeoutMs: Infinity, namedStatements: true };
  /** Why it must not be reused: the late answer to a statement, or its cancellation, would reach the next user. */
  unfit?: Error;
  /** Statements that were sent and not answered yet. */
  private unanswered = 0;
  /** The end of all earlier statements, where they are sent one by one. */
  private earlier: Promise<unknown> = Promise.resolve();
  /** Until it ends, a cancellation may reach whatever runs on this connection. */
  private cancelling?: Promise<void>;
  /** What says, since it was lent, that PostgreSQL as a whole is down. */
  outage?: Error;
  /** To be told that PostgreSQL has answered, and, when the connection is given back, which outage it has met. */
  ended?: (outage?: Error, underWay?: boolean) => void;

  constructor(config?: string | pg.ClientConfig) {
    super(config);
    this.messages.on('parameterStatus', ({ parameterName, parameterValue }) => {
      if (parameterName === 'in_hot_standby') this.reportsStandby = parameterValue === 'on';
    });
  }

  /** The messages of the server, and the socket: pg has no public way to them. */
  get messages(): ServerMessages {
    return (this as unknown as { connection: ServerMessages }).connection;
  }

  /** What TypeORM calls. Calls with a callback or an object of its own (cursors, streams) are pg's as they are. */
  // oxlint-disable-next-line typescript/no-explicit-any
  override query(...args: unknown[]): any {
    const [text, values] = args;
    if (typeof text !== 'string' || typeof values === 'function' || args.length > 2) {
      return (super.query as (...all: unknown[]) => unknown)(...args);
    }
    if (ENDS_TRANSACTION.test(text)) return this.control(text);
    return this.send({ text, values: values as unknown[] | undefined });
  }

  /**
   * Sends a statement for the current request: not at all when the request was cancelled, bounded by its deadline, and cancelled
   * when its client disconnects while it runs.
   */
  send(statement: Statement): Promise<pg.QueryResult> {
    if (this.terms.writes?.kept && WRITES.test(statement.text)) this.wrote = true;
    const limitMs = statement.timeoutMs ?? this.terms.queryTimeoutMs;
    const context = RequestContext.current();
    const refused = refusalOf(context);
    if (refused) return Promise.reject(refused);
    return this.traced(statement, limitMs, context);
  }

  /** Sends a statement that begins or ends a transaction, or that is sent with its end: no request may cancel it. */
  control(statement: string | Statement, timeoutMs = this.terms.queryTimeoutMs): Promise<pg.QueryResult> {
    if (this.cancelling) return this.cancelling.then(() => this.control(statement, timeoutMs));
    if (typeof statement !== 'string') return this.traced(statement, timeoutMs);
    const answer = this.traced({ text: statement }, timeoutMs);
    return statement === 'COMMIT' ? answer.then(requireCommit) : answer;
  }

  /** Returns the connection to its pool, which drops it when it is unfit. */
  giveBack(this: LentConnection, error?: Error): void {
    if (this.cancelling) return void this.cancelling.then(() => this.giveBack(error));
    if (error) this.note(error);
    this.release(this.unfit ?? error ?? this.leftOpen());
  }

  /** Records what an error means for this connection and for PostgreSQL. */
  private note(error: Error): void {
    if (breaksConnection(error)) this.unfit ??= error;
    if (isOutage(error)) this.outage ??= error;
  }

  /** The next user would get the answer to a statement under way, and a transaction that was neither committed nor rolled back. */
  private leftOpen(): Error | undefined {
    if (this.unanswered > 0) return new Error('released before all its statements were answered');
    const status = this.getTransactionStatus();
    return status === 'T' || status === 'E' ? new Error('released inside a transaction') : undefined;
  }

  /** Dropped for each client that disconnects, all connections of a process were made anew several times a second. */
  private cancel(): void {
    this.cancelling ??= cancelRequest(this).then((usable) => {
      if (!usable) this.unfit ??= new Error('a cancellation may still be under way');
      this.cancelling = undefined;
    });
  }

  /** Recorded as a span of the current work: with its name and its text, without its values. */
  private traced(statement: Statement, limitMs: number, context?: RequestContext): Promise<pg.QueryResult> {
    const { text, name = operationOf(text) } = statement;
    return traceStep(
      `pg.query:${name}`,
      () => this.inTurn(() => this.dispatch(statement, limitMs, context)),
      {
        'db.system.name': 'postgresql',
        'db.query.text': text,
      },
    );
  }

  /** pg sends one statement at a time or all at once; without pipelining each waits here for the answer to the one before it. */
  private inTurn(send: () => Promise<pg.QueryResult>): Promise<pg.QueryResult> {
    if (isFast('pipelining')) return send();
    const idle = this.unanswered === 0;
    this.unanswered += 1;
    const answer = (idle ? send() : this.earlier.then(send)).finally(() => (this.unanswered -= 1));
    this.earlier = answer.catch(() => undefined);
    return answer;
  }

  /**
   * Sends by pg's callback, at the end of this turn together with others, and with one timer for all statements instead of pg's for
   * each. Objects that pg's promises and timers hold survive each scavenge (pg 8.23, Node 26): an export of a million rows filled
   * the old generation with 300 bytes per row, and requests with most of what they allocate.
   */
  private dispatch(statement: Statement, limitMs: number, context?: RequestContext): Promise<pg.QueryResult> {
    const { stream } = this.messages;
    if (stream.writableCorked === 0) {
      stream.cork();
      atEndOfTurn(() => stream.uncork());
    }
    return new Promise((resolve, reject) => {
      const sentAt = performance.now();
      const remainingMs = context?.remainingMs ?? Infinity;
      const watched: Watched = {
        giveUpAt: sentAt + Math.min(limitMs, remainingMs),
        giveUp: () => {
          if (!unwatch(watched)) return;
          forget?.();
          clearTimeout(cancelTimer);
          const error = new Error(READ_TIMEOUT);
          this.unfit ??= error;
          void cancelRequest(this);
          stream.destroy();
          // A timeout of a request that had little time left says nothing about PostgreSQL.
          if (remainingMs <= limitMs) reject(deadlineExceeded(error));
          else reject((this.outage ??= error));
        },
      };
      let cancelTimer: NodeJS.Timeout | undefined;
      const forget = context?.onAbort(() => {
        cancelTimer = setTimeout(() => this.cancel(), CANCEL_AFTER_MS);
      });
      const answered: Answered = (error, result) => {
        // pg calls back twice for values that it cannot encode, and late after a timeout.
        if (!unwatch(watched)) return;
        this.unanswered -= 1;
        forget?.();
        clearTimeout(cancelTimer);
        this.terms.metrics?.answered(statement.text, performance.now() - sentAt);
        if (!error) {
          // Others wait for the first call after an outage: it may be a stream that keeps its connection for minutes.
          this.ended?.(undefined, true);
          resolve(result);
        } else {
          this.note(error);
          reject(context?.abandoned ?? error);
        }
      };
      // Before it is sent: values that cannot be encoded fail at once.
      watch(watched);
      this.unanswered += 1;
      const named = this.terms.namedStatements;
      if (isFast('pg-callbacks')) super.query(queryOf(statement, named, answered));
      else {
        const failed = (error: Error) => answered(error, undefined as never);
        super.query(configOf(statement, named)).then((result) => answered(undefined, result), failed);
      }
    });
  }
}

/** PostgreSQL answers the COMMIT of a transaction in which a statement failed with a rollback, and with no error. */
function requireCommit(answer: pg.QueryResult): pg.QueryResult {
  if (answer.command === 'COMMIT') return answer;
  throw new NothingCommittedError();
}

/** PostgreSQL has rolled back at COMMIT. */
export class NothingCommittedError extends Error {
  constructor() {
    super('A statement of this transaction failed and its error was caught: nothing was committed');
  }
}

class Query extends pg.Query {
  declare name?: string;
}

/**
 * pg's own query, made from the text and given its name afterwards: of a configuration object pg copies all property descriptors, which
 * was 3 % of a read. It has no name where statements cannot be prepared.
 */
function queryOf({ name, text, values }: Statement, named: boolean, answered: Answered): Query {
  // The types of pg name an inner class for the result of a query made here; it is the result of any other.
  const query = new Query(text, values, answered as ConstructorParameters<typeof pg.Query>[2]);
  if (named) query.name = name;
  return query;
}

function configOf({ name, text, values }: Statement, named: boolean): pg.QueryConfig {
  return named ? { name, text, values } : { text, values };
}

/** Why a request may send nothing more: its client has disconnected, or its time is over. */
export function refusalOf(context: RequestContext | undefined): Error | undefined {
  return context?.abandoned ?? (context?.remainingMs === 0 ? deadlineExceeded() : undefined);
}

function deadlineExceeded(cause?: unknown): TransientError {
  return new TransientError({
    /**
     * The request did not finish before its deadline; it may or may not have taken effect. Retry with
     * backoff, with the same Idempotency-Key where it has one.
     */
    code: 'deadline-exceeded',
    detail: 'The request took too long.',
    cause,
  });
}

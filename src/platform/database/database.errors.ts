import { QueryFailedError } from 'typeorm';
import { errorCode, isNetworkError, ProblemError, TransientError } from '../errors/index.js';
import { asConstraintViolation } from './constraint-errors.js';

/** The server behind a primary's address is a standby. */
export class StandbyError extends Error {
  constructor() {
    super('The server at the address of the primary is a standby: the primary has moved or is about to move');
    this.name = 'StandbyError';
  }
}

/** No connection could be made, for whatever reason (address, TLS, password, standby): nothing was sent. */
export class ConnectError extends Error {
  /** The cause's. */
  readonly code: string | undefined;

  constructor(cause: unknown) {
    super(`No connection to PostgreSQL: ${(cause as Error).message}`, { cause });
    this.name = 'ConnectError';
    this.code = errorCode(cause);
  }
}

/** Too many requests wait for a connection, or one waited too long: our busy pool says nothing about PostgreSQL. */
export function saturated(cause?: unknown): TransientError {
  return new TransientError({
    /**
     * Too many requests wait for a database connection. What the request did before may stay. Retry with
     * backoff, with the same Idempotency-Key where it has one.
     */
    code: DATABASE_SATURATED,
    detail: 'Too many requests are waiting for the database. Retry later.',
    cause,
  });
}

/** PostgreSQL refused to write, because it is a standby or a transaction is read-only. */
export function isRefusedWrite(error: unknown): boolean {
  return errorCode(error) === '25006';
}

/**
 * A prepared statement of this connection can no longer be used; nothing was executed. A migration has changed the type of its result
 * ("cached plan must not change result type", by its routine because messages are translated), or it does not exist, or exists
 * already: after DISCARD or DEALLOCATE, or behind a pooler that gives each transaction another connection.
 */
export function isLostStatement(error: unknown): boolean {
  const code = errorCode(error);
  if (code === '0A000') return (error as { routine?: string }).routine === 'RevalidateCachedQuery';
  return code === '26000' || code === '42P05';
}

/**
 * SQLSTATEs after which the same work may succeed a moment later
 * (PostgreSQL documentation, appendix A "PostgreSQL Error Codes").
 */
const TRANSIENT_STATES = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available: lock_timeout
  '57014', // query_canceled: statement_timeout
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '25P03', // idle_in_transaction_session_timeout
  '25006', // read_only_sql_transaction: the primary has moved
  '53300', // too_many_connections
]);
const UNDEFINED_STATES = new Set(['42P01', '42703', '42883', '42704', '3F000']);
const DATABASE_SATURATED = 'database-saturated';
const DATABASE_UNAVAILABLE = 'database-unavailable';
const TRANSIENT_CLASSES = ['08', '53', '58'];
/** The error of a statement that got no answer in time. */
export const READ_TIMEOUT = 'Query read timeout';

/** pg reports these without a code. */
const TRANSIENT_MESSAGES =
  /Query read timeout|Connection terminated|Client has encountered a connection error|not queryable|Cannot use a pool after calling end/i;

/** Of those, a pool that we have closed ourselves is no sign that PostgreSQL is down. */
const OUTAGE_MESSAGES =
  /Query read timeout|Connection terminated|Client has encountered a connection error|not queryable/i;

/**
 * Gives an error of the driver the stack of the caller instead of that of the socket on which the answer came. Call it where an
 * async function has caught the error: there V8 knows the waiting callers.
 */
export function located(error: unknown): unknown {
  if (error instanceof Error) Error.captureStackTrace(error, located);
  return error;
}

/**
 * True when the connection itself can no longer be trusted (a late answer would reach the next user of it). False when the
 * statement was never sent, because we refused it or could not encode its values, or when its answer came and could not be read.
 */
export function breaksConnection(error: unknown): boolean {
  if (error instanceof ProblemError || error instanceof TypeError || error instanceof RangeError)
    return false;
  const code = errorCode(error);
  return (
    code === undefined ||
    // EPIPE looks like a SQLSTATE.
    isNetworkError(error) ||
    !/^[0-9A-Z]{5}$/.test(code) ||
    code.startsWith('57P') ||
    code.startsWith('08') ||
    code === '25P03'
  );
}

/**
 * False for an error that the same read would have on any other server: a mistake in the statement or its values, the end of the
 * request. A replica that has not replayed a migration yet lacks tables and columns, which may exist elsewhere.
 */
export function mayDifferElsewhere(error: unknown): boolean {
  if (error instanceof ProblemError) {
    return (
      error.code === DATABASE_SATURATED ||
      (error.code === DATABASE_UNAVAILABLE && mayDifferElsewhere(error.cause))
    );
  }
  if (error instanceof ConnectError) return true;
  if (error instanceof TypeError || error instanceof RangeError) return false;
  const code = errorCode(error) ?? '';
  return UNDEFINED_STATES.has(code) || !/^(?:22|23|42)...$/.test(code);
}

/** The driver's errors for a server that is down, or frozen: for injected faults (docs/degradation.md). */
export const REHEARSED_OUTAGE = {
  refused: (): Error =>
    Object.assign(new Error('connect ECONNREFUSED (injected fault)'), { code: 'ECONNREFUSED' }),
  unanswered: (): Error => new Error(READ_TIMEOUT),
};

/** True for errors that mean that PostgreSQL as a whole is down or not answering, and so count against its circuit breaker. */
export function isOutage(error: unknown): boolean {
  if (error instanceof TransientError) return error.code === DATABASE_UNAVAILABLE && isOutage(error.cause);
  if (error instanceof ConnectError) return true;
  const code = errorCode(error);
  if (code === undefined) return OUTAGE_MESSAGES.test((error as Error).message);
  return isNetworkError(error) || code.startsWith('57P') || code.startsWith('08') || code === '53300';
}

/**
 * What the rest of the program sees of a driver error: `TransientError` (503) when a retry may help, `ConstraintViolationError`
 * (409, 422) when PostgreSQL rejected a value, or the error as it is (a bug, 500).
 */
export function translateDatabaseError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ProblemError) return error;
  // Our own refusal (a deadline, a client that disconnected), which TypeORM has wrapped.
  if (error instanceof QueryFailedError && error.driverError instanceof ProblemError)
    return error.driverError;
  const refused = asConstraintViolation(error);
  if (refused) return refused;
  const code = errorCode(error);
  const transient =
    error instanceof ConnectError ||
    isLostStatement(error) ||
    (code === undefined
      ? TRANSIENT_MESSAGES.test(error.message)
      : TRANSIENT_STATES.has(code) ||
        isNetworkError(error) ||
        TRANSIENT_CLASSES.some((c) => code.startsWith(c)));
  if (!transient) return error;
  return new TransientError({
    /**
     * The database is down or does not answer. The request may or may not have taken effect. Retry with
     * backoff, with the same Idempotency-Key where it has one.
     */
    code: DATABASE_UNAVAILABLE,
    // It is not known whether a statement without an answer took effect: a frozen server executes it when it continues.
    detail:
      'The database is unavailable. The request may or may not have taken effect; retry it, with the same Idempotency-Key if it has one.',
    cause: error,
  });
}

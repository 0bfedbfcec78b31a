import {
  DelayedError,
  RateLimitError,
  UnrecoverableError,
  WaitingChildrenError,
  WaitingError,
  type BackoffStrategy,
} from 'bullmq';
import { isNetworkError, ProblemError, TransientError } from '../../errors/index.js';

/** BullMQ's name for our backoff; each worker gets its implementation. */
export const FULL_JITTER = 'full-jitter';

/**
 * Exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): a random
 * wait between 0 and `baseMs * 2^(attempts made - 1)`, capped, so that jobs that failed together are not retried together.
 * @param random 0 to 1
 */
export function fullJitter(
  baseMs: number,
  capMs: number,
  random: () => number = Math.random,
): BackoffStrategy {
  return (attemptsMade) => {
    const step = Math.min(capMs, baseMs * 2 ** Math.min(attemptsMade - 1, 40));
    // BullMQ reads 0 as "retry at once", which puts the job before all others; 1 keeps its turn.
    return Math.max(1, Math.floor(random() * step));
  };
}

/** ioredis gives these no code. */
const LOST_REDIS = /^(Connection is closed|Command timed out|Stream isn't writeable)/;

/** Whether the same work may succeed a little later: a `TransientError`, or an untranslated error of a broken connection. */
export function isTransient(error: unknown): boolean {
  // One of our errors has already been classified, whatever its cause.
  if (error instanceof ProblemError) return error instanceof TransientError;
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1) {
    if (cause instanceof TransientError || cause.name === 'MaxRetriesPerRequestError') return true;
    if (isNetworkError(cause) || LOST_REDIS.test(cause.message)) return true;
  }
  return false;
}

/** A processor throws it to tell BullMQ that it has moved the job itself. */
export function isForBullMQ(error: unknown): boolean {
  return [DelayedError, RateLimitError, WaitingChildrenError, WaitingError].some(
    (type) => error instanceof type,
  );
}

/** Whether a retry cannot help, according to BullMQ or our own taxonomy. */
export function isFinal(error: unknown): boolean {
  return (
    error instanceof UnrecoverableError ||
    (error instanceof ProblemError && !(error instanceof TransientError))
  );
}

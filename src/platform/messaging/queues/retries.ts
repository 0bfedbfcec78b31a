import {
  DelayedError,
  RateLimitError,
  UnrecoverableError,
  WaitingChildrenError,
  WaitingError,
  type BackoffStrategy,
} from 'bullmq';
import { isNetworkError, ProblemError, TransientError } from '../../errors/index.js';

/** BullMQ's name for our backoff; what it means is given to each worker. */
export const FULL_JITTER = 'full-jitter';

/**
 * Exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): a random
 * wait between 0 and `baseMs * 2^(attempts made - 1)`, capped, so that what failed together does not come back together.
 * @param random 0 to 1
 */
export function fullJitter(
  baseMs: number,
  capMs: number,
  random: () => number = Math.random,
): BackoffStrategy {
  return (attemptsMade) => {
    const step = Math.min(capMs, baseMs * 2 ** Math.min(attemptsMade - 1, 40));
    // BullMQ reads 0 as "retry at once", which puts the job before all others; 1 keeps it in turn.
    return Math.max(1, Math.floor(random() * step));
  };
}

/** ioredis gives these no code. */
const LOST_REDIS = /^(Connection is closed|Command timed out|Stream isn't writeable)/;

/** Whether the same work may succeed a little later: a `TransientError`, or a connection that broke and nobody translated. */
export function isTransient(error: unknown): boolean {
  // Whoever made one of our errors of it has decided what it is, whatever caused it.
  if (error instanceof ProblemError) return error instanceof TransientError;
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1) {
    if (cause instanceof TransientError || cause.name === 'MaxRetriesPerRequestError') return true;
    if (isNetworkError(cause) || LOST_REDIS.test(cause.message)) return true;
  }
  return false;
}

/** What a processor throws to tell BullMQ that it has moved the job itself. */
export function isForBullMQ(error: unknown): boolean {
  return [DelayedError, RateLimitError, WaitingChildrenError, WaitingError].some(
    (type) => error instanceof type,
  );
}

/** Whether trying again cannot help, as BullMQ or our own taxonomy says it. */
export function isFinal(error: unknown): boolean {
  return (
    error instanceof UnrecoverableError ||
    (error instanceof ProblemError && !(error instanceof TransientError))
  );
}

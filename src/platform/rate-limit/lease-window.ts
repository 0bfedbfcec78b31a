import type { Quota } from './quota.js';

/** The answer to one request. */
export interface Taken {
  readonly allowed: boolean;
  /** Requests left in the window, as far as this process knows. */
  readonly remaining: number;
  /** Seconds until the window ends and the quota is whole again. */
  readonly resetSeconds: number;
}

/** What this process knows about one caller's window. Times are `performance.now()` milliseconds. */
export interface Window {
  readonly key: string;
  readonly quota: Quota;
  endsAt: number;
  /** Requests admitted here. */
  spent: number;
  /** Requests of this window that Redis has charged to this process: `spent` may run ahead while Redis is down. */
  charged: number;
  /** Requests that may be admitted beyond those, before Redis is asked. */
  credit: number;
  /** Whether Redis has answered in this window, so that `free` means something. */
  known: boolean;
  /** Requests that were left in Redis for all processes. */
  free: number;
  nextLease: number;
  /** Requests that wait for a lease. */
  waiting: number;
  leasing?: Promise<void>;
  retryAt: number;
  spentAtSweep: number;
  /** The data of Redis in which `charged` is counted. */
  epoch?: string;
  /** Until then the other processes may not have reported what they had when Redis lost its data. */
  settlesUntil: number;
}

/** A window that begins with its caller's first request here. */
export function newWindow(key: string, quota: Quota, now: number): Window {
  return {
    key,
    quota,
    endsAt: now + quota.windowMs,
    spent: 0,
    charged: 0,
    credit: quota.credit,
    known: false,
    free: quota.limit,
    nextLease: quota.firstLease,
    waiting: 0,
    retryAt: 0,
    spentAtSweep: 0,
    settlesUntil: 0,
  };
}

/**
 * Requests that may be admitted here without asking. Without Redis that is the whole limit, or, when Redis has reported in this
 * window how much was left for all processes, no more than that: a short failure must not reopen a quota that is used up.
 */
export function ceilingOf(
  { quota, known, charged, credit, free, settlesUntil }: Window,
  shared: boolean,
  now: number,
): number {
  if (shared) return charged + credit;
  if (now < settlesUntil) return charged;
  return known ? charged + free : quota.limit;
}

export function answer(window: Window, allowed: boolean, now: number): Taken {
  const { quota, spent, charged, free, known } = window;
  const left = known ? Math.max(0, charged - spent) + free : quota.limit - spent;
  return {
    allowed,
    remaining: allowed ? Math.max(0, left) : 0,
    // In whole milliseconds first: 60000.0000001 ms are not 61 seconds.
    resetSeconds: Math.max(1, Math.ceil(Math.floor(window.endsAt - now) / 1000)),
  };
}

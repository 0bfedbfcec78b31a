/** A number of requests per window, and how it is leased to processes. */
export interface Quota {
  /** Names the policy to clients (RateLimit fields) and its counters in Redis. */
  readonly name: string;
  /** Requests per window, over all processes. */
  readonly limit: number;
  readonly windowMs: number;
  /**
   * What a process admits in a window before it has asked Redis: the bound on overshoot, for each process. 0 where the limit is
   * small: there a single excess request would matter.
   */
  readonly credit: number;
  /** Requests of the first lease of a window; callers that need more get twice as many each time. */
  readonly firstLease: number;
  /** Requests of the largest lease: the bound on what a process may hold while another one rejects requests. */
  readonly largestLease: number;
  /** The item of `RateLimit-Policy`. */
  readonly policy: string;
}

const CREDIT_SHARE = 0.01;
const FIRST_LEASE_SHARE = 0.01;
const LARGEST_LEASE_SHARE = 0.05;

/** @param windowMs a whole number of seconds, in milliseconds: the fields have no smaller unit */
export function quotaOf(name: string, limit: number, windowMs: number): Quota {
  return {
    name,
    limit,
    windowMs,
    credit: Math.floor(limit * CREDIT_SHARE),
    firstLease: Math.max(1, Math.floor(limit * FIRST_LEASE_SHARE)),
    largestLease: Math.max(1, Math.floor(limit * LARGEST_LEASE_SHARE)),
    policy: `"${name}";q=${limit};w=${Math.ceil(windowMs / 1000)}`,
  };
}

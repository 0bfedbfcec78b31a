import type { Settings } from '../../config/index.js';

/** How calls to one dependency are bounded. Times in milliseconds. */
export interface DependencyPolicy {
  /** How long one attempt may take. The request's own deadline shortens it. */
  timeoutMs: number;
  /** Repetitions after a transient failure, full jitter between them; only for calls that may be repeated safely. */
  retries: number;
  /** Calls at once; further ones are refused, not queued (bulkhead). */
  concurrency: number;
  /** The circuit opens when at least `minimumCalls` of the last `size` were made and half of them failed ... */
  breaker: { size: number; minimumCalls: number };
  /** ... and lets one call try again after this long. */
  reopenAfterMs: number;
}

export type DependencyName = 'postgresql' | 'payment-provider' | 'smtp';

/**
 * The one table of who may take how long. Redis is not in it: what is asked of it on the request path may always be done
 * without, so it has a connection of its own kind (platform/redis).
 */
export function policyTable({
  database,
  payments,
  messaging,
}: Settings): Record<DependencyName, DependencyPolicy> {
  // prettier-ignore
  return {
    //                  one attempt                           repeated   at once                           circuit: half of the last calls      asked again after
    postgresql:         { timeoutMs: database.queryTimeoutMs, retries: 0, concurrency: Infinity,              breaker: { size: 20, minimumCalls: 8 }, reopenAfterMs: 500 },
    'payment-provider': { timeoutMs: payments.timeoutMs,      retries: 1, concurrency: 64,                    breaker: { size: 10, minimumCalls: 3 }, reopenAfterMs: 2000 },
    smtp:               { timeoutMs: 10_000,                  retries: 0, concurrency: messaging.concurrency, breaker: { size: 10, minimumCalls: 5 }, reopenAfterMs: 2000 },
  };
}

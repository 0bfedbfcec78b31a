/** How calls to one dependency are bounded. Times in milliseconds. */
export interface DependencyPolicy {
  /** How long a call may take. The request's own deadline shortens it. */
  timeoutMs: number;
  /** Concurrent calls; further ones are refused, not queued (bulkhead). */
  concurrency: number;
  /** The circuit opens when at least `minimumCalls` of the last `size` were made and half of them failed ... */
  breaker: { size: number; minimumCalls: number };
  /** ... and lets one call try again after this long. */
  reopenAfterMs: number;
}

/** Share of calls that may be repeated. */
const RATIO = 0.1;
/** Repetitions that are allowed even when there are hardly any calls. */
const RESERVE = 10;

/**
 * Keeps retries a small share of the calls, so that they cannot multiply the load on what is already failing
 * (Google SRE Book, chapter "Handling Overload": per-client retry budget of 10 %).
 */
export class RetryBudget {
  private tokens = RESERVE;

  /** To be called for each first attempt. */
  deposit(): void {
    this.tokens = Math.min(RESERVE, this.tokens + RATIO);
  }

  /** Whether one more repetition is within the budget; takes it if so. */
  withdraw(): boolean {
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }
}

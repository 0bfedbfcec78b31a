import type pg from 'pg';

/** Minimum and maximum number of requests that may wait, for each connection of the pool. */
const WAITERS_PER_CONNECTION = { least: 4, most: 20 };
/** Share of `DATABASE_ACQUIRE_TIMEOUT_MS` that a request may expect to wait. */
const EXPECTED_WAIT = 0.5;
const MEASURED_OVER_MS = 250;

/**
 * How many requests may wait for a connection: as many as will be served in half of the acquisition timeout, estimated from how
 * many were served lately (Little's law). A longer queue serves no request sooner; those at its end would wait for a 503.
 */
export class ConnectionQueue {
  private served = 0;
  private measuredAt = performance.now();
  private servedPerMs: number | undefined;

  constructor(private readonly pool: pg.Pool) {
    pool.on('acquire', () => {
      this.served += 1;
    });
  }

  /** 0 when no request waits; from 1 on, a new request would time out. */
  get load(): number {
    const { waitingCount } = this.pool;
    return waitingCount === 0 ? 0 : waitingCount / this.longest();
  }

  private longest(): number {
    const elapsed = performance.now() - this.measuredAt;
    if (elapsed >= MEASURED_OVER_MS) {
      // A count over a longer time includes idle time: it measures the demand, not the capacity.
      this.servedPerMs = elapsed < 4 * MEASURED_OVER_MS ? this.served / elapsed : undefined;
      this.served = 0;
      this.measuredAt += elapsed;
    }
    const { max, connectionTimeoutMillis = 0 } = this.pool.options;
    const most = max * WAITERS_PER_CONNECTION.most;
    if (this.servedPerMs === undefined) return most;
    const inTime = this.servedPerMs * connectionTimeoutMillis * EXPECTED_WAIT;
    return Math.min(most, Math.max(max * WAITERS_PER_CONNECTION.least, inTime));
  }
}

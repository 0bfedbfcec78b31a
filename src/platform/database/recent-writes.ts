import { RequestContext } from '../context/index.js';

/** Callers remembered at most; beyond that, every caller counts as having just written. */
const MOST_CALLERS = 10_000;

/** When each caller of this process last wrote, so that its next read goes to a server that shows the write. */
export class RecentWrites {
  /** In order of time. */
  private readonly byCaller = new Map<string, number>();
  private byAnybody = -Infinity;
  /** Not needed without replicas. */
  kept = false;

  /** The current caller has written, or may have. */
  note(): void {
    const caller = callerAtHand();
    if (!this.kept || caller === undefined) return;
    const now = performance.now();
    if (this.byCaller.size >= MOST_CALLERS) {
      this.byCaller.clear();
      this.byAnybody = now;
    }
    this.byCaller.delete(caller);
    this.byCaller.set(caller, now);
  }

  /** The moment up to which a replica must have replayed for the current caller. */
  get ofCaller(): number {
    const caller = callerAtHand();
    const own = caller === undefined ? -Infinity : (this.byCaller.get(caller) ?? -Infinity);
    return Math.max(own, this.byAnybody);
  }

  /** Forgets what every replica has seen. */
  forgetBefore(moment: number): void {
    for (const [caller, at] of this.byCaller) {
      if (at > moment) return;
      this.byCaller.delete(caller);
    }
  }
}

/** The user; for a request without one, the request. */
function callerAtHand(): string | undefined {
  const context = RequestContext.current();
  return context && (context.userId ?? context.requestId);
}

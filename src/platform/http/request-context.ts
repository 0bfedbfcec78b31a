import { AsyncLocalStorage } from 'node:async_hooks';

/** What travels with a request (or a job) into everything that is done for it. */
export class RequestContext {
  private static readonly storage = new AsyncLocalStorage<RequestContext>();

  userId?: string;
  private controller?: AbortController;
  private timer?: NodeJS.Timeout;

  /**
   * @param requestId what ties log lines, events and jobs to the request that caused them
   * @param deadline epoch milliseconds after which nobody waits for the answer any more
   */
  constructor(
    readonly requestId: string,
    readonly deadline: number,
  ) {}

  /** The context of the request or job that is being worked on, if any. */
  static current(): RequestContext | undefined {
    return RequestContext.storage.getStore();
  }

  /** Runs `work`, and everything asynchronous it starts, in this context. */
  run<T>(work: () => T): T {
    return RequestContext.storage.run(this, work);
  }

  /** Milliseconds until the deadline, never negative. */
  get remainingMs(): number {
    return Math.max(0, this.deadline - Date.now());
  }

  /** Aborted when the deadline passes or the client goes away. Made on first use: most requests never ask for it. */
  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      this.timer = setTimeout(() => this.abort('deadline'), this.remainingMs);
      this.timer.unref();
    }
    return this.controller.signal;
  }

  /** Cancels what is still being done for this request. */
  abort(reason: 'deadline' | 'client-gone'): void {
    this.controller?.abort(new DOMException(`The request was given up: ${reason}`, 'AbortError'));
    this.finish();
  }

  /** Ends the deadline's timer; called when the answer is out. */
  finish(): void {
    if (this.timer) clearTimeout(this.timer);
  }
}

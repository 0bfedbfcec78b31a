import { AsyncLocalStorage } from 'node:async_hooks';
import { newId } from './ids.js';
import { Members } from '../fast/index.js';
import { languageOf } from '../languages/index.js';
import { TransientError } from '../errors/index.js';

/** Code of the error that ends the work for a request after its client has disconnected. */
export const ABANDONED = 'request-abandoned';

/** What travels with a request (or a job) into everything that is done for it. */
export class RequestContext {
  private static readonly storage = new AsyncLocalStorage<RequestContext>();

  userId?: string;
  /** As the client has sent it. */
  acceptLanguage?: string | undefined;
  /** What tracing keeps for a request that it does not record: a context of its own would cost each of them another one. */
  unsampled?: object;
  private given?: Error;
  private readonly listeners = new Members<(reason: Error) => void>();
  /** On `performance.now()`'s clock: the wall clock may be set meanwhile. */
  private readonly deadline: number;

  /**
   * @param requestId links log lines, events and jobs to the request that caused them
   * @param withinMs time after which the answer is no longer needed
   */
  constructor(
    readonly requestId: string,
    withinMs: number,
  ) {
    this.deadline = performance.now() + withinMs;
  }

  /** The context of the request or job that is being worked on, if any. */
  static current(): RequestContext | undefined {
    return RequestContext.storage.getStore();
  }

  /** Runs `work`, and everything asynchronous it starts, in this context. */
  run<T>(work: () => T): T {
    return RequestContext.storage.run(this, work);
  }

  /**
   * What the caller reads, for events whose consequences reach the caller later, such as a mail. Undefined when the client does not
   * say, and where there is no caller: the sender of a webhook is not who gets the mail.
   */
  get language(): string | undefined {
    const { userId, acceptLanguage } = this;
    const isSaid = userId !== undefined && acceptLanguage !== undefined && acceptLanguage !== '*';
    return isSaid ? languageOf(acceptLanguage) : undefined;
  }

  /** Milliseconds until the deadline, never negative. */
  get remainingMs(): number {
    return Math.max(0, this.deadline - performance.now());
  }

  /** Why the request was cancelled (its client disconnected), or undefined while a client waits for the answer. */
  get abandoned(): Error | undefined {
    return this.given;
  }

  /**
   * Calls `listener` when the request is cancelled.
   * @returns a function that takes the listener off again
   */
  onAbort(listener: (reason: Error) => void): () => void {
    if (this.given) listener(this.given);
    else this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Cancels the request: the work that is still being done for it ends. */
  abort(detail: string): void {
    if (this.given) return;
    this.given = new TransientError({
      /**
       * The client has disconnected, and the work for its request was cancelled. Only in logs: nobody is left
       * to read the answer.
       */
      code: ABANDONED,
      detail,
    });
    for (const listener of this.listeners) {
      this.listeners.delete(listener);
      listener(this.given);
    }
  }

  /**
   * Runs `work` with the same request id but neither deadline nor cancellation: for work that must be finished once begun, such
   * as recording the outcome of a charge.
   */
  static shielded<T>(work: () => Promise<T>): Promise<T> {
    const current = RequestContext.current();
    const context = new RequestContext(current?.requestId ?? newId(), Infinity);
    context.userId = current?.userId;
    context.unsampled = current?.unsampled;
    context.acceptLanguage = current?.acceptLanguage;
    return context.run(work);
  }
}

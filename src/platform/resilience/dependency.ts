import {
  BrokenCircuitError,
  BulkheadRejectedError,
  bulkhead,
  circuitBreaker,
  CircuitState,
  CountBreaker,
  handleWhen,
  type CircuitBreakerPolicy,
  type IBackoff,
} from 'cockatiel';
import { NotAttemptedError, TransientError } from '../errors/index.js';
import { ABANDONED, RequestContext } from '../context/index.js';
import { within } from '../runtime/index.js';
import type { FaultInjector, Rehearsal } from './fault-injector.js';
import type { DependencyPolicy } from './dependency-policy.js';

export type CircuitName = 'closed' | 'open' | 'half-open';

/** Takes the outage that a call has met, if any, or why it got no answer; `underWay` when it has got one and goes on. */
type Ended = (error?: Error, underWay?: boolean) => void;

/** A trial has ended before the dependency has answered it. Not a failure of the dependency, but no reason to close the circuit either. */
class UnansweredTrial extends Error {}

/**
 * One dependency behind its timeout, circuit breaker and bulkhead (Nygard, "Release It!"). Only outages count against the
 * circuit: a declined card is an answer, and a client that disconnected proves nothing.
 */
export class Dependency {
  private readonly breaker: CircuitBreakerPolicy;
  private readonly counts: CountBreaker;
  private readonly bulkhead;
  private rehearsal: Rehearsal;
  private isFailure = (error: unknown): boolean =>
    error instanceof TransientError && error.code !== ABANDONED;

  constructor(
    readonly name: string,
    readonly policy: DependencyPolicy,
    private readonly faults?: FaultInjector,
  ) {
    this.rehearsal = {
      withinMs: policy.timeoutMs,
      refused: () => this.notAttempted(),
      unanswered: () => this.timeout(),
    };
    this.counts = new CountBreaker({
      threshold: 0.5,
      size: policy.breaker.size,
      minimumNumberOfCalls: policy.breaker.minimumCalls,
    });
    this.breaker = circuitBreaker(
      handleWhen((error) => error instanceof UnansweredTrial || this.isFailure(error)),
      { breaker: this.counts, halfOpenAfter: { next: () => openFor(policy.reopenAfterMs) } },
    );
    this.bulkhead = Number.isFinite(policy.concurrency) ? bulkhead(policy.concurrency) : undefined;
  }

  /** Lets the module that knows this dependency's errors define which of them are outages, and what an outage looks like. */
  countAsFailure(
    isFailure: (error: unknown) => boolean,
    outage?: Pick<Rehearsal, 'refused' | 'unanswered'>,
  ): void {
    this.isFailure = isFailure;
    Object.assign(this.rehearsal, outage);
  }

  /** Applies injected faults; for health checks, which must see what calls see. */
  async rehearse(withinMs = this.policy.timeoutMs): Promise<void> {
    await this.faults?.inject(`dependency:${this.name}`, { ...this.rehearsal, withinMs });
  }

  get circuit(): CircuitName {
    if (this.isClosed) return 'closed';
    return this.breaker.state === CircuitState.HalfOpen ? 'half-open' : 'open';
  }

  /** Calls `listener` with the new state whenever the circuit changes. */
  onCircuitChange(listener: (state: CircuitName) => void): void {
    this.breaker.onStateChange(() => listener(this.circuit));
  }

  /**
   * Calls the dependency.
   * @param work gets a signal that is aborted at the timeout and when the request is cancelled; pass it on
   * @param timeoutMs instead of the policy's, for a call whose time depends on its size
   * @throws NotAttemptedError when the circuit is open or the bulkhead full: the dependency was not asked
   * @throws TransientError `<name>-timeout` when the call took too long: it may or may not have had its effect
   */
  async execute<T>(
    work: (call: { signal: AbortSignal }) => Promise<T>,
    timeoutMs: number = this.policy.timeoutMs,
  ): Promise<T> {
    const attempt = () => this.breaker.execute(() => this.timed(work, timeoutMs));
    try {
      return await (this.bulkhead ? this.bulkhead.execute(attempt) : attempt());
    } catch (error) {
      throw this.translate(error);
    }
  }

  /**
   * Admits a call by the circuit breaker alone, for calls that have their own timeout and are too frequent for more: while the
   * circuit is closed it makes no promise.
   * @param admitted gets a callback for the end of the call: with the outage that it met or the reason why it got no answer, or without either
   * @param refused gets `NotAttemptedError` while the circuit is open
   */
  admit(admitted: (ended: Ended) => void, refused: (error: Error) => void): void {
    const { isClosed } = this;
    if (isClosed && !this.faults) {
      admitted(this.ended);
      return;
    }
    let begun = false;
    const call = async (): Promise<void> => {
      await this.rehearse();
      begun = true;
      if (isClosed) admitted(this.ended);
      else await this.ending(admitted);
    };
    (isClosed ? call() : this.breaker.execute(call)).catch((error: Error) => {
      if (begun) return;
      if (isClosed) this.ended(error);
      refused(this.translate(error) as Error);
    });
  }

  /** Others wait for the trial: its first answer is enough to let them in, and what it meets later counts by itself. */
  private ending(admitted: (ended: Ended) => void): Promise<void> {
    const trial = this.circuit === 'half-open';
    let counted = false;
    return new Promise((resolve, reject) => {
      admitted((error, underWay) => {
        if (counted) return this.ended(error);
        if (underWay && !trial) return;
        counted = true;
        if (!error) resolve();
        else reject(trial && !this.isFailure(error) ? new UnansweredTrial('', { cause: error }) : error);
      });
    });
  }

  private readonly ended: Ended = (error, underWay) => {
    if (!error && !underWay && this.isClosed) this.counts.success(CircuitState.Closed);
    else if (error && this.isFailure(error))
      void this.breaker.execute(() => Promise.reject(error)).catch(() => undefined);
  };

  private get isClosed(): boolean {
    return this.breaker.state === CircuitState.Closed;
  }

  private async timed<T>(work: (call: { signal: AbortSignal }) => Promise<T>, allowedMs: number): Promise<T> {
    const context = RequestContext.current();
    const controller = new AbortController();
    const { promise: abandoned, reject } = Promise.withResolvers<never>();
    const forget = context?.onAbort(reject);
    const timeoutMs = Math.min(allowedMs, context?.remainingMs ?? Infinity);
    // Raced, because not every client obeys the signal.
    const ended = Promise.race([this.struck(() => work({ signal: controller.signal })), abandoned]);
    try {
      return await within(timeoutMs, ended, () => this.timeout());
    } catch (error) {
      controller.abort(error);
      throw error;
    } finally {
      forget?.();
    }
  }

  private async struck<T>(work: () => Promise<T>): Promise<T> {
    await this.rehearse();
    return work();
  }

  private timeout(): TransientError {
    return new TransientError({
      /**
       * A dependency did not answer in time; the call may or may not have had its effect. Retry with backoff,
       * with the same Idempotency-Key where there is one.
       */
      code: `${this.name}-timeout`,
      detail: `The dependency ${this.name} did not answer in time.`,
    });
  }

  private translate(error: unknown): unknown {
    const refused = error instanceof BrokenCircuitError || error instanceof BulkheadRejectedError;
    return refused ? this.notAttempted(error) : error;
  }

  private notAttempted(cause?: unknown): NotAttemptedError {
    return new NotAttemptedError({
      /** A dependency is down and was not called. Retry after `Retry-After`. */
      code: `${this.name}-unavailable`,
      detail: `The dependency ${this.name} is unavailable and was not called. Retry later.`,
      retryAfterSeconds: Math.max(1, Math.ceil(this.policy.reopenAfterMs / 1000)),
      cause,
    });
  }
}

/**
 * How long a circuit stays open, by a steady clock. cockatiel subtracts wall clock times: a circuit that opened while the clock was
 * minutes ahead stayed open for minutes after it was set right, and the dependency was not called.
 */
function openFor(milliseconds: number): IBackoff<unknown> {
  const until = performance.now() + milliseconds;
  return {
    get duration() {
      return performance.now() < until ? Infinity : -Infinity;
    },
    next: () => openFor(milliseconds),
  };
}

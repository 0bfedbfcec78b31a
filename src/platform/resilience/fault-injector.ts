import { setTimeout as delay } from 'node:timers/promises';

/** What happens to calls of a target: they are slow, fail at once, or get no answer until their own timeout. */
export interface Fault {
  kind: 'slow' | 'fail' | 'block';
  /** Milliseconds added by `slow`. */
  delayMs?: number;
  /** Share of the calls that are affected, 0 to 1. Default: all. */
  rate?: number;
}

/**
 * How a target really fails: an injected fault fails in the same way, so that all code that checks the error (circuit breakers,
 * translations, health) behaves as in a real outage.
 */
export interface Rehearsal {
  /** Milliseconds after which a call without an answer times out. */
  withinMs: number;
  /** The error of a target that refuses: `fail`. */
  refused: () => Error;
  /** The error of a target that did not answer: `block`. */
  unanswered: () => Error;
}

/**
 * Faults that an operator has switched on in this process, as a rehearsal (docs/degradation.md). A target is
 * `dependency:<name>` or `route:<METHOD> <pattern>`, for example `route:GET /v1/things/:id`. Exists outside production only.
 */
export class FaultInjector {
  private readonly faults = new Map<string, Fault>();
  private readonly offered = new Set<string>();

  /** Makes a dependency known as a target. */
  offer(target: string): void {
    this.offered.add(target);
  }

  /** The dependencies that can be made to fail, as far as their providers have been started. */
  get targets(): string[] {
    return [...this.offered].toSorted();
  }

  set(target: string, fault: Fault): void {
    this.faults.set(target, fault);
  }

  /** Switches one fault off, or all of them. */
  clear(target?: string): void {
    if (target === undefined) this.faults.clear();
    else this.faults.delete(target);
  }

  /** Whether every call of the target is refused: then its client would have no connection. */
  refuses(target: string): boolean {
    const fault = this.faults.get(target);
    return fault?.kind === 'fail' && (fault.rate ?? 1) >= 1;
  }

  list(): ({ target: string } & Fault)[] {
    return [...this.faults].map(([target, fault]) => ({ target, ...fault }));
  }

  /**
   * Call it before each call of a target.
   * @throws what `as` makes, where a failure or a block is switched on
   */
  async inject(target: string, as: Rehearsal): Promise<void> {
    const fault = this.faults.get(target);
    if (!fault || Math.random() >= (fault.rate ?? 1)) return;
    if (fault.kind === 'slow') {
      await delay(fault.delayMs ?? 1000);
      return;
    }
    if (fault.kind === 'fail') throw as.refused();
    await delay(as.withinMs);
    throw as.unanswered();
  }
}

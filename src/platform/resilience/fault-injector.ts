import { setTimeout as delay } from 'node:timers/promises';
import { TransientError } from '../errors/index.js';

/** What is done to calls of a target: made slow, made to fail at once, or left without an answer until their own timeout. */
export interface Fault {
  kind: 'slow' | 'fail' | 'block';
  /** Milliseconds added by `slow`. */
  delayMs?: number;
  /** Share of the calls that are hit, 0 to 1. Default: all. */
  rate?: number;
}

/** How long a blocked call hangs when nothing else bounds it, in milliseconds. */
const BLOCK_LIMIT_MS = 30_000;

/**
 * Faults that somebody has switched on in this process, to rehearse what happens (docs/degradation.md). A target is
 * `dependency:<name>` or `route:<METHOD> <pattern>`, for example `route:GET /v1/orders/:id`. Exists outside production only.
 */
export class FaultInjector {
  private readonly faults = new Map<string, Fault>();

  set(target: string, fault: Fault): void {
    this.faults.set(target, fault);
  }

  /** Switches one fault off, or all of them. */
  clear(target?: string): void {
    if (target === undefined) this.faults.clear();
    else this.faults.delete(target);
  }

  list(): ({ target: string } & Fault)[] {
    return [...this.faults].map(([target, fault]) => ({ target, ...fault }));
  }

  /**
   * To be called before a target is called.
   * @param withinMs how long the caller would wait for an answer
   * @throws TransientError `fault-injected` where a failure or a block is switched on
   */
  async strike(target: string, withinMs = BLOCK_LIMIT_MS): Promise<void> {
    const fault = this.faults.get(target);
    if (!fault || Math.random() >= (fault.rate ?? 1)) return;
    if (fault.kind === 'slow') {
      await delay(fault.delayMs ?? 1000);
      return;
    }
    if (fault.kind === 'block') await delay(withinMs);
    throw new TransientError({
      code: 'fault-injected',
      detail: `A ${fault.kind} fault is switched on for ${target}.`,
    });
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import { holdsOf } from './draw.ts';
import { Prevented, type NamedFault } from './fault.ts';
import type { Applied } from './result.ts';
import type { RunningRig } from './rig/start.ts';
import type { Step } from './schedule.ts';

/** A fault that could not be created or ended: the harness is broken, not the product. */
export class FaultFailed extends Error {}

/**
 * Carries out the steps of a schedule at their times. One whose target is still held (an end took longer than drawn) waits for
 * that.
 */
export class Steps {
  readonly applied: Applied[] = [];
  private readonly rig: RunningRig;
  private readonly faults: ReadonlyMap<string, NamedFault>;
  private readonly startedAt = performance.now();
  private readonly over = new AbortController();
  private readonly holders = new Map<string, Promise<void>>();
  private readonly work: Promise<void>[];

  constructor(rig: RunningRig, catalogue: readonly NamedFault[], steps: readonly Step[]) {
    this.rig = rig;
    this.faults = new Map(catalogue.map((fault) => [fault.name, fault]));
    this.work = steps.map((step) => this.schedule(step));
    for (const one of this.work) one.catch(() => undefined);
  }

  /** Ends what is still in progress; begins nothing any more. */
  async end(): Promise<void> {
    this.over.abort();
    const failed = (await Promise.allSettled(this.work)).find((one) => one.status === 'rejected');
    if (failed) throw failed.reason;
  }

  private async schedule(step: Step): Promise<void> {
    await this.wait(step.at);
    const fault = this.faults.get(step.fault);
    if (!fault) throw new FaultFailed(`There is no fault ${step.fault}`);
    const holds = holdsOf(fault, step.target);
    const before = holds.map((what) => this.holders.get(what) ?? Promise.resolve());
    const work = Promise.allSettled(before).then(() => this.carryOut(fault, step));
    for (const what of holds) this.holders.set(what, work);
    return work;
  }

  private async carryOut(fault: NamedFault, step: Step): Promise<void> {
    if (this.over.signal.aborted) return;
    const { faults } = this.rig;
    const applied: Applied = { step, beganAt: this.now(), endedAt: Number.POSITIVE_INFINITY };
    this.applied.push(applied);
    faults.active += 1;
    faults.begun += 1;
    try {
      if (await this.begins(fault, step)) await this.wait(applied.beganAt + step.lasts);
      else this.applied.splice(this.applied.indexOf(applied), 1);
      // Also of one that was prevented: half of it may have begun.
      await fault.end?.(this.rig, step);
    } catch (error) {
      const { message } = error as Error;
      throw new FaultFailed(`${step.fault} of ${step.target} failed: ${message}`, { cause: error });
    } finally {
      applied.endedAt = this.now();
      faults.active -= 1;
    }
  }

  /** @returns false when another fault prevents it */
  private async begins(fault: NamedFault, step: Step): Promise<boolean> {
    try {
      await fault.begin(this.rig, step);
      return true;
    } catch (error) {
      if (error instanceof Prevented) return false;
      throw error;
    }
  }

  /** Until that many milliseconds after the load began, or until all is over. */
  private async wait(at: number): Promise<void> {
    const { signal } = this.over;
    await delay(Math.max(0, at - this.now()), undefined, { signal }).catch(() => undefined);
  }

  private now(): number {
    return performance.now() - this.startedAt;
  }
}

import type { Random } from './random.ts';
import type { Rig } from './rig.ts';
import type { Step } from './schedule.ts';

/**
 * Something that can go wrong. Each stands in a file of its own, `faults/<name>.fault.ts`, which exports these names; it needs no
 * registration.
 */
export interface Fault {
  /** One sentence, for the report and `--list`: what happens to the target. */
  what: string;
  /** What it can hit. Constant: the schedule is drawn before the rig exists. */
  targets: readonly string[];
  /** How often it is drawn, compared with others. Default 1. */
  weight?: number;
  /** Shortest and longest time that it lasts, in milliseconds. Default: over at once. */
  lasts?: readonly [shortest: number, longest: number];
  /**
   * What must not be hit by two faults at the same time, for example the process that is frozen or killed. Default: the target.
   */
  holds?(target: string): readonly string[];
  /** Draws what else a step needs. */
  draw?(random: Random, target: string): Step['with'];
  /** Why it cannot be done on this machine, if so; then it is not drawn, and the report says so. */
  unavailable?(): string | undefined;
  /** Creates the condition. @throws Prevented when another fault leaves no room for it */
  begin(rig: Rig, step: Step): Promise<void>;
  /** Takes it away again. Must succeed whatever else happened meanwhile. */
  end?(rig: Rig, step: Step): Promise<void>;
}

/** Thrown by `begin` when another fault makes this one impossible, for example when the server is down. The step is left out. */
export class Prevented extends Error {}

export interface NamedFault extends Fault {
  name: string;
}

import type { NamedFault } from './fault.ts';
import { Random } from './random.ts';
import type { Schedule, Step } from './schedule.ts';

export interface DrawOptions {
  seed: number;
  product: string;
  /** How long the clients work, in milliseconds. */
  lasts: number;
  /** Mean time from the begin of a fault to that of the next, in milliseconds. */
  everyMs?: number;
}

const CALM_MS = 1_000;
const EVERY_MS = 2_500;
/** Between two faults that hold the same thing: the end of one takes its time. */
const APART_MS = 500;
const ATTEMPTS = 10;

/** Draws what goes wrong and when. The same seed, options and catalogue give the same schedule. */
export function draw(catalogue: readonly NamedFault[], options: DrawOptions): Schedule {
  const { seed, product, lasts, everyMs = EVERY_MS } = options;
  const random = new Random(seed).fork('schedule');
  const steps: Step[] = [];
  const held: { by: readonly string[]; until: number }[] = [];
  // Times between independent faults are distributed exponentially.
  const next = (): number => -Math.log(1 - random.next()) * everyMs;
  for (let at = CALM_MS + next() / 2; at < lasts - CALM_MS; at += next()) {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const { holds, step } = drawStep(catalogue, random, Math.round(at));
      if (held.some(({ by, until }) => until > step.at && by.some((what) => holds.includes(what)))) continue;
      steps.push(step);
      held.push({ by: holds, until: step.at + step.lasts + APART_MS });
      break;
    }
  }
  return { seed, product, lasts, steps };
}

function drawStep(
  catalogue: readonly NamedFault[],
  random: Random,
  at: number,
): { step: Step; holds: readonly string[] } {
  const fault = random.weighted(catalogue, ({ weight = 1 }) => weight);
  const target = random.pick(fault.targets);
  const lasts = fault.lasts ? random.integer(...fault.lasts) : 0;
  const step = { at, lasts, fault: fault.name, target, with: fault.draw?.(random, target) ?? {} };
  return { step, holds: holdsOf(fault, target) };
}

/** What must not be hit by another fault at the same time. */
export function holdsOf(fault: NamedFault, target: string): readonly string[] {
  return fault.holds?.(target) ?? [target];
}

/** The seed of the schedule number `index` (0: the first) of a run. */
export function seedOf(first: number, index: number): number {
  return index === 0 ? first : Math.floor(new Random(first).fork(`schedule ${index}`).next() * 2 ** 32);
}

import { PROCESSES, type ProcessName, type Rig } from '../rig.ts';
import type { Random } from '../random.ts';
import type { Step } from '../schedule.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export const what = 'The clock of a process is minutes ahead or behind, now and then 8 days.';
export const targets = PROCESSES;
export const lasts = [1_000, 15_000] as const;

/** A process with a wrong clock may be frozen or killed as well. */
export function holds(target: string): readonly string[] {
  return [`clock of ${target}`];
}

export function draw(random: Random): Step['with'] {
  const by = random.chance(0.15) ? 8 * DAY_MS : random.integer(1, 15) * MINUTE_MS;
  return { offsetMs: random.chance(0.5) ? by : -by };
}

export async function begin(rig: Rig, step: Step): Promise<void> {
  await rig.processes.get(step.target as ProcessName)?.setClock(Number(step.with.offsetMs));
}

export async function end(rig: Rig, { target }: Step): Promise<void> {
  await rig.processes.get(target as ProcessName)?.setClock(0);
}

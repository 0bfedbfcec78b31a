import { PROCESSES, type Rig } from '../rig.ts';
import type { Step } from '../schedule.ts';
import type { Random } from '../random.ts';

export const what = 'Every process is replaced in turn, by the build that --against names or by its own.';
export const targets = ['all processes'];
export const weight = 0.5;

export function holds(): readonly string[] {
  return PROCESSES;
}

export function draw(random: Random): Step['with'] {
  return { other: random.chance(0.5) };
}

export async function begin(rig: Rig, step: Step): Promise<void> {
  for (const process of rig.processes.values()) {
    await process.stop('SIGTERM');
    await process.startAgain({}, { other: step.with.other === true });
  }
}

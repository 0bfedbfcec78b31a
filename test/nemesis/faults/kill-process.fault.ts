import { PROCESSES, type ProcessName, type Rig } from '../rig.ts';
import type { Step } from '../schedule.ts';

export const what = 'SIGKILL to a process, which is started again a while later.';
export const targets = PROCESSES;
export const weight = 3;
export const lasts = [1, 5_000] as const;

export async function begin(rig: Rig, { target }: Step): Promise<void> {
  await rig.processes.get(target as ProcessName)?.kill();
}

export async function end(rig: Rig, { target }: Step): Promise<void> {
  await rig.processes.get(target as ProcessName)?.startAgain();
}

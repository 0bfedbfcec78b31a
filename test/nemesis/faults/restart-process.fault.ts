import { PROCESSES, type ProcessName, type Rig } from '../rig.ts';
import type { Step } from '../schedule.ts';

export const what = 'SIGTERM to a process, which is started again when it has ended.';
export const targets = PROCESSES;

export async function begin(rig: Rig, { target }: Step): Promise<void> {
  const process = rig.processes.get(target as ProcessName);
  await process?.stop('SIGTERM');
  await process?.startAgain();
}

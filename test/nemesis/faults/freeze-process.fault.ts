import { PROCESSES, type ProcessName, type Rig } from '../rig.ts';
import type { Step } from '../schedule.ts';

export const what =
  'SIGSTOP to a process: it keeps its connections, locks and leases, and continues later as if no time had passed.';
export const targets = PROCESSES;
export const weight = 3;
/** Longer than leases and timeouts of the product, too. */
export const lasts = [200, 12_000] as const;

export function begin(rig: Rig, { target }: Step): Promise<void> {
  rig.processes.get(target as ProcessName)?.freeze();
  return Promise.resolve();
}

export function end(rig: Rig, { target }: Step): Promise<void> {
  rig.processes.get(target as ProcessName)?.thaw();
  return Promise.resolve();
}

import { setTimeout as delay } from 'node:timers/promises';
import { Prevented, type Fault } from '../fault.ts';
import { APIS, type ProcessName } from '../rig.ts';
import { revive } from './servers.ts';

/** Less than a statement may go unanswered. */
const COMMITS_WAIT_MS = 500;

/**
 * The beginning of its work is committed, and it learns that when its leases are over and another process has taken the work over. By
 * chance alone hardly any freeze falls between a commit and its answer.
 */
export const what =
  'A process freezes while PostgreSQL commits what it has sent, for longer than its leases last; it gets the answer afterwards.';
export const targets = APIS;
export const weight = 5;
export const lasts: Fault['lasts'] = [8_000, 13_000];

export const holds: Fault['holds'] = (target) => [target, 'postgres'];

export const begin: Fault['begin'] = async (rig, { target }) => {
  const { standby } = rig.postgres;
  if (!standby) throw new Prevented('A standby is being built');
  // Every commit waits for it.
  standby.freeze();
  await delay(COMMITS_WAIT_MS);
  rig.processes.get(target as ProcessName)?.freeze();
  standby.thaw();
};

export const end: Fault['end'] = async (rig, { target }) => {
  const { standby } = rig.postgres;
  if (standby) await revive(standby);
  rig.processes.get(target as ProcessName)?.thaw();
};

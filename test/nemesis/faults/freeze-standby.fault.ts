import type { Fault } from '../fault.ts';
import { revive, serverOf } from './servers.ts';

export const what =
  'The synchronous standby of PostgreSQL freezes: reads are answered, and every commit waits.';
export const targets = ['postgres-standby'];
/** Each one leaves the outcome of every write open. */
export const weight = 3;
export const lasts: Fault['lasts'] = [1500, 6000];

export const holds: Fault['holds'] = () => ['postgres'];

export const begin: Fault['begin'] = async (rig, { target }) => serverOf(rig, target).freeze();

export const end: Fault['end'] = async (rig) => {
  const { standby } = rig.postgres;
  if (standby) await revive(standby);
};

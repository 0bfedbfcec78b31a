import type { Fault } from '../fault.ts';
import { EDGES, SERVERS } from '../rig.ts';
import { edgeOf, edgesOf } from './servers.ts';

export const what = 'Every request to a server, and every answer, arrives later.';
export const targets = SERVERS;
export const weight = 2;
export const lasts: Fault['lasts'] = [3000, 10_000];

export const holds: Fault['holds'] = (target) => edgesOf(EDGES, target);

export const draw: Fault['draw'] = (random) => ({ delayMs: random.integer(20, 400) });

export const begin: Fault['begin'] = async (rig, { target, with: { delayMs } }) => {
  for (const name of edgesOf(EDGES, target)) edgeOf(rig, name).delay(Number(delayMs));
};

export const end: Fault['end'] = async (rig, { target }) => {
  for (const name of edgesOf(EDGES, target)) edgeOf(rig, name).heal();
};

import type { Fault } from '../fault.ts';
import { EDGES, PROCESSES, SERVERS } from '../rig.ts';
import { edgeOf, edgesOf } from './servers.ts';

export const what =
  'One part can reach no other one: what is sent to it, by it, or both, is lost without an error.';
export const targets = [...SERVERS, ...PROCESSES];
export const weight = 2;
export const lasts: Fault['lasts'] = [1500, 6000];

export const holds: Fault['holds'] = (target) => edgesOf(EDGES, target);

export const draw: Fault['draw'] = (random) => ({ direction: random.pick(['there', 'back', 'both']) });

export const begin: Fault['begin'] = async (rig, { target, with: { direction } }) => {
  for (const name of edgesOf(EDGES, target))
    edgeOf(rig, name).blackHole(direction as 'there' | 'back' | 'both');
};

export const end: Fault['end'] = async (rig, { target }) => {
  for (const name of edgesOf(EDGES, target)) edgeOf(rig, name).heal();
};

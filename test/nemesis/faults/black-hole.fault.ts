import type { Fault } from '../fault.ts';
import { BUSY_EDGES, edgeOf } from './servers.ts';

export const what = 'What one part sends to another, or the answers, or both, are lost without an error.';
export const targets = BUSY_EDGES;
export const weight = 3;
export const lasts: Fault['lasts'] = [1500, 8000];

export const draw: Fault['draw'] = (random) => ({ direction: random.pick(['there', 'back', 'both']) });

export const begin: Fault['begin'] = async (rig, { target, with: { direction } }) =>
  edgeOf(rig, target).blackHole(direction as 'there' | 'back' | 'both');

export const end: Fault['end'] = async (rig, { target }) => edgeOf(rig, target).heal();

import type { Fault } from '../fault.ts';
import { BUSY_EDGES, edgeOf } from './servers.ts';

export const what = 'All connections between two parts are cut once; new ones can be made.';
export const targets = BUSY_EDGES;
export const weight = 2;

export const begin: Fault['begin'] = async (rig, { target }) => edgeOf(rig, target).cut();

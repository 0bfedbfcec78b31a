import type { Fault } from '../fault.ts';
import { BUSY_EDGES, edgeOf } from './servers.ts';

/** What TCP makes of lost packets: everything arrives in the end, in order, when the other side may long have given up. */
export const what = 'Connections between two parts stall; later everything that was sent meanwhile arrives.';
export const targets = BUSY_EDGES;
export const weight = 2;
export const lasts: Fault['lasts'] = [500, 8000];

export const begin: Fault['begin'] = async (rig, { target }) => edgeOf(rig, target).freeze();

export const end: Fault['end'] = async (rig, { target }) => edgeOf(rig, target).heal();

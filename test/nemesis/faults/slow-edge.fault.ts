import type { Fault } from '../fault.ts';
import { BUSY_EDGES, edgeOf } from './servers.ts';

export const what = 'What one part sends to another, and the answers, arrive later.';
export const targets = BUSY_EDGES;
export const weight = 2;
export const lasts: Fault['lasts'] = [3000, 12_000];

export const draw: Fault['draw'] = (random) => ({ delayMs: random.integer(20, 2000) });

export const begin: Fault['begin'] = async (rig, { target, with: { delayMs } }) =>
  edgeOf(rig, target).delay(Number(delayMs));

export const end: Fault['end'] = async (rig, { target }) => edgeOf(rig, target).heal();

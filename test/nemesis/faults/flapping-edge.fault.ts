import type { Fault } from '../fault.ts';
import { againAndAgain, stop } from './again-and-again.ts';
import { BUSY_EDGES, edgeOf } from './servers.ts';

export const what = 'All connections between two parts are cut again and again.';
export const targets = BUSY_EDGES;
export const lasts: Fault['lasts'] = [1000, 4000];

export const draw: Fault['draw'] = (random) => ({ everyMs: random.integer(20, 300) });

export const begin: Fault['begin'] = (rig, step) =>
  againAndAgain(step, Number(step.with.everyMs), () => edgeOf(rig, step.target).cut());

export const end: Fault['end'] = (_rig, step) => stop(step);

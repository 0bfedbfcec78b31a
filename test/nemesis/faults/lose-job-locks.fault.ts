import type { Fault } from '../fault.ts';
import { againAndAgain, stop } from './again-and-again.ts';
import { onRedis } from './redis-admin.ts';

/** As when a worker stalls for longer than its lock lasts: it finishes what another one has begun again. */
export const what =
  'Workers lose the locks of the jobs that they run, so that these are taken over and run twice.';
export const targets = ['redis'];
export const weight = 2;
export const lasts: Fault['lasts'] = [1000, 4000];

const LOSE = `EVAL "local lost = 0 for _, key in ipairs(redis.call('KEYS', '*:lock')) do lost = lost + redis.call('DEL', key) end return lost" 0`;

export const begin: Fault['begin'] = (rig, step) => againAndAgain(step, 20, () => onRedis(rig, LOSE));

export const end: Fault['end'] = (_rig, step) => stop(step);

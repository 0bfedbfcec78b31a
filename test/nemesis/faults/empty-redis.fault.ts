import type { Fault } from '../fault.ts';
import { onRedis } from './redis-admin.ts';

/** Counters of rate limits are lost with everything else: an invariant cannot count on them. */
export const what = 'Redis loses everything (FLUSHALL).';
export const targets = ['redis'];
export const weight = 2;

export const begin: Fault['begin'] = async (rig) => {
  await onRedis(rig, 'FLUSHALL');
};

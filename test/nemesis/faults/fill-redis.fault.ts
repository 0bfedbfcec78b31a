import type { Fault } from '../fault.ts';
import { onRedis } from './redis-admin.ts';

export const what = 'Redis is full: it refuses every write that needs memory.';
export const targets = ['redis'];
export const weight = 2;
export const lasts: Fault['lasts'] = [1500, 8000];

export const begin: Fault['begin'] = async (rig) => {
  await onRedis(rig, 'CONFIG SET maxmemory 1');
};

export const end: Fault['end'] = async (rig) => {
  await onRedis(rig, 'CONFIG SET maxmemory 0');
};

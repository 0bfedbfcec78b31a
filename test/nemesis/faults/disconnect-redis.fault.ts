import type { Fault } from '../fault.ts';
import { onRedis } from './redis-admin.ts';

export const what = 'Redis closes the connections of all clients.';
export const targets = ['redis'];

export const begin: Fault['begin'] = async (rig) => {
  await onRedis(rig, 'CLIENT KILL TYPE normal');
};

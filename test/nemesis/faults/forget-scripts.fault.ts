import type { Fault } from '../fault.ts';
import { onRedis } from './redis-admin.ts';

export const what =
  'Redis forgets all scripts, as after a restart: those that are called by their hash do not exist.';
export const targets = ['redis'];

export const begin: Fault['begin'] = async (rig) => {
  await onRedis(rig, 'SCRIPT FLUSH');
};

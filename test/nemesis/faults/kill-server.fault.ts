import type { Fault } from '../fault.ts';
import { SERVERS } from '../rig.ts';
import { revive, serverOf } from './servers.ts';

/** PostgreSQL and the provider keep what they have acknowledged; Redis comes back empty. */
export const what = 'A server is killed with SIGKILL and started again.';
export const targets = SERVERS;
export const weight = 3;
export const lasts: Fault['lasts'] = [300, 5000];

export const begin: Fault['begin'] = (rig, { target }) => serverOf(rig, target).kill();

export const end: Fault['end'] = (rig, { target }) => revive(serverOf(rig, target));

import type { Fault } from '../fault.ts';
import { SERVERS } from '../rig.ts';
import { revive, serverOf } from './servers.ts';

export const what = 'A server freezes: connections stay open and nothing answers.';
export const targets = SERVERS;
export const weight = 3;
export const lasts: Fault['lasts'] = [1500, 6000];

export const begin: Fault['begin'] = async (rig, { target }) => serverOf(rig, target).freeze();

export const end: Fault['end'] = (rig, { target }) => revive(serverOf(rig, target));

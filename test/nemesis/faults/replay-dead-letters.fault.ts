import type { Fault } from '../fault.ts';

export const what = 'An operator puts all dead letters back into their queues.';
export const targets = ['cli'];

export const begin: Fault['begin'] = async (rig) => {
  await rig.cli(['dead-letter', 'replay', '--all']);
};

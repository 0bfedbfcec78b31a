import type { Fault } from '../fault.ts';

export const what = 'An operator lists the dead letters and reads nothing of it (EPIPE).';
export const targets = ['cli'];
export const weight = 0.5;

export const begin: Fault['begin'] = async (rig) => {
  await rig.cli(['dead-letter', 'list'], {}, { unread: true });
};

import type { Fault } from '../fault.ts';
import { execute, TERMINATE } from './postgres-admin.ts';

export const what = 'Every session of the application is terminated in PostgreSQL, whatever it is doing.';
export const targets = ['postgres'];
export const weight = 2;

export const begin: Fault['begin'] = async (rig) => {
  await execute(rig, TERMINATE);
};

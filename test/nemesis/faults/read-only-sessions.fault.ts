import type { Fault } from '../fault.ts';
import { execute, TERMINATE, undo } from './postgres-admin.ts';

/** The setting counts when a session begins: what connects meanwhile refuses writes for as long as it lives. */
export const what =
  'The sessions of the application are terminated, and those that it opens for a while refuse every write for good.';
export const targets = ['postgres'];
export const weight = 4;
export const lasts: Fault['lasts'] = [500, 4000];

export const begin: Fault['begin'] = async (rig) => {
  await execute(rig, 'ALTER ROLE "holdfast" SET default_transaction_read_only = on', TERMINATE);
};

export const end: Fault['end'] = (rig) =>
  undo(rig, 'ALTER ROLE "holdfast" RESET default_transaction_read_only');

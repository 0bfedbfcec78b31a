import type { Fault } from '../fault.ts';
import type { Step } from '../schedule.ts';
import { drawTable, execute, tableOf, tidyUp } from './postgres-admin.ts';

export const what = 'A migration adds a column with a default to a table, and another one drops it.';
export const targets = ['table'];
export const lasts: Fault['lasts'] = [500, 6000];

export const draw: Fault['draw'] = drawTable;

export const begin: Fault['begin'] = async (rig, step) => {
  const table = await tableOf(rig, step.with);
  await execute(rig, `ALTER TABLE ${table} ADD COLUMN ${columnOf(step)} text NOT NULL DEFAULT 'new'`);
};

export const end: Fault['end'] = async (rig, step) => {
  const table = await tableOf(rig, step.with).catch(() => undefined);
  if (table) await tidyUp(rig, `ALTER TABLE ${table} DROP COLUMN IF EXISTS ${columnOf(step)}`);
};

/** One that could not be dropped may remain. */
function columnOf({ at }: Step): string {
  return `added_by_nemesis_${at}`;
}

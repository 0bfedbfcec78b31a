import type pg from 'pg';
import type { Fault } from '../fault.ts';
import type { Step } from '../schedule.ts';
import { drawTable, open, tableOf } from './postgres-admin.ts';

export const what = 'Another session holds a table for itself: nothing can be read from it or written to it.';
export const targets = ['table'];
export const weight = 2;
export const lasts: Fault['lasts'] = [1000, 5000];

const holders = new WeakMap<Step, pg.Client>();

export const draw: Fault['draw'] = drawTable;

export const begin: Fault['begin'] = async (rig, step) => {
  const table = await tableOf(rig, step.with);
  const { client } = await open(rig, 'BEGIN', `LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
  holders.set(step, client);
};

export const end: Fault['end'] = async (_rig, step) => {
  await holders
    .get(step)
    ?.end()
    .catch(() => undefined);
};

import type { Fault } from '../fault.ts';
import type { Step } from '../schedule.ts';
import { drawTable, execute, tableOf, tidyUp } from './postgres-admin.ts';

export const what = 'A migration builds an index concurrently, and another one drops it.';
export const targets = ['table'];
export const lasts: Fault['lasts'] = [500, 6000];

export const draw: Fault['draw'] = drawTable;

export const begin: Fault['begin'] = async (rig, step) => {
  const table = await tableOf(rig, step.with);
  const [first] = await execute<{ name: string }>(
    rig,
    `SELECT attname AS name FROM pg_attribute WHERE attrelid = '${table}'::regclass AND attnum = 1`,
  );
  await execute(rig, `CREATE INDEX CONCURRENTLY ${indexOf(step)} ON ${table} (${first?.name})`);
};

export const end: Fault['end'] = (rig, step) =>
  tidyUp(rig, `DROP INDEX CONCURRENTLY IF EXISTS ${indexOf(step)}`);

/** An unfinished one remains when the server dies. */
function indexOf({ at }: Step): string {
  return `index_by_nemesis_${at}`;
}

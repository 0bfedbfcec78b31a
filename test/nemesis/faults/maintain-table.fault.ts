import type { Fault } from '../fault.ts';
import { drawTable, execute, tableOf } from './postgres-admin.ts';

export const what = 'An operator maintains a table (VACUUM FULL, REINDEX, ...) while it is used.';
export const targets = ['table'];

const STATEMENTS = ['VACUUM (FULL)', 'VACUUM (ANALYZE)', 'REINDEX TABLE', 'REINDEX TABLE CONCURRENTLY'];

export const draw: Fault['draw'] = (random) => ({
  statement: random.pick(STATEMENTS),
  ...drawTable(random),
});

export const begin: Fault['begin'] = async (rig, step) => {
  await execute(rig, `${step.with.statement} ${await tableOf(rig, step.with)}`);
};

import type { Fault } from '../fault.ts';
import type { Step } from '../schedule.ts';
import { execute, tidyUp } from './postgres-admin.ts';

/** Invalidates prepared statements that return the column: "cached plan must not change result type". */
export const what = 'A migration changes an integer column to bigint, and another one changes it back.';
export const targets = ['table'];
export const weight = 3;
export const lasts: Fault['lasts'] = [500, 6000];

const INTEGERS = `SELECT format('ALTER TABLE %I ALTER COLUMN %I', table_name, column_name) AS alter
  FROM information_schema.columns
  WHERE table_schema = 'public' AND table_name <> 'migrations' AND data_type = 'integer' AND is_identity = 'NO'
  ORDER BY table_name, column_name`;

const altered = new WeakMap<Step, string>();

export const draw: Fault['draw'] = (random) => ({ pick: random.integer(0, 999) });

export const begin: Fault['begin'] = async (rig, step) => {
  const columns = await execute<{ alter: string }>(rig, INTEGERS);
  const { alter } = columns[Number(step.with.pick) % columns.length]!;
  await execute(rig, `${alter} TYPE bigint`);
  altered.set(step, alter);
};

export const end: Fault['end'] = async (rig, step) => {
  const alter = altered.get(step);
  if (alter) await tidyUp(rig, `${alter} TYPE integer`);
};

import type { Fault } from '../fault.ts';
import type { Step } from '../schedule.ts';
import { execute, tidyUp } from './postgres-admin.ts';

/** Invalidates prepared statements that return the column: "cached plan must not change result type". */
export const what =
  'A migration changes a column of a much read table to bigint, and another one changes it back.';
export const targets = ['table'];
export const weight = 5;
export const lasts: Fault['lasts'] = [500, 6000];

/** Of the tables that are read most: hardly any prepared statement returns a column of the others. */
const INTEGERS = `
  WITH integers AS (
    SELECT table_name::text, column_name::text, data_type::text AS type FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name <> 'migrations'
      AND data_type IN ('integer', 'smallint') AND is_identity = 'NO'
  ), busiest AS (
    SELECT relname::text AS table_name FROM pg_stat_user_tables
    WHERE relname::text IN (SELECT table_name FROM integers)
    ORDER BY seq_scan + coalesce(idx_scan, 0) DESC, relname LIMIT 3
  )
  SELECT format('ALTER TABLE %I ALTER COLUMN %I TYPE ', table_name, column_name) AS alter, type
  FROM integers JOIN busiest USING (table_name) ORDER BY table_name, column_name`;

const altered = new WeakMap<Step, { alter: string; type: string }>();

export const draw: Fault['draw'] = (random) => ({ pick: random.integer(0, 999) });

export const begin: Fault['begin'] = async (rig, step) => {
  const columns = await execute<{ alter: string; type: string }>(rig, INTEGERS);
  const column = columns[Number(step.with.pick) % columns.length]!;
  await execute(rig, `${column.alter} bigint`);
  altered.set(step, column);
};

export const end: Fault['end'] = async (rig, step) => {
  const column = altered.get(step);
  if (column) await tidyUp(rig, `${column.alter} ${column.type}`);
};

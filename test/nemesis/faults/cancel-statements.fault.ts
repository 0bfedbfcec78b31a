import type { Fault } from '../fault.ts';
import { againAndAgain, stop } from './again-and-again.ts';
import { execute } from './postgres-admin.ts';

export const what =
  'PostgreSQL cancels whatever statement of the application it is working on, again and again.';
export const targets = ['postgres'];
export const lasts: Fault['lasts'] = [500, 2500];

const CANCEL = `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = 'holdfast' AND state = 'active'`;

/** Many times in each session: to connect takes longer than the statements that it looks for. */
const CANCEL_OFTEN = Array.from({ length: 20 }, () => [CANCEL, 'SELECT pg_sleep(0.01)']).flat();

export const begin: Fault['begin'] = (rig, step) =>
  againAndAgain(step, 1, () => execute(rig, ...CANCEL_OFTEN));

export const end: Fault['end'] = (_rig, step) => stop(step);

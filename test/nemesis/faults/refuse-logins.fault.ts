import type { Fault } from '../fault.ts';
import { execute, TERMINATE, undo } from './postgres-admin.ts';

/** A process that is started meanwhile cannot become ready. */
export const what =
  'PostgreSQL refuses new sessions of the application (too many, not allowed, wrong password), after all of them have ended.';
export const targets = ['postgres'];
export const lasts: Fault['lasts'] = [1000, 5000];

const REFUSALS: Record<string, string> = {
  'too many': 'CONNECTION LIMIT 0',
  'not allowed': 'NOLOGIN',
  'wrong password': "PASSWORD 'another one'",
};

export const draw: Fault['draw'] = (random) => ({ because: random.pick(Object.keys(REFUSALS)) });

export const begin: Fault['begin'] = async (rig, { with: { because } }) => {
  await execute(rig, `ALTER ROLE "holdfast" ${REFUSALS[String(because)]}`, TERMINATE);
};

export const end: Fault['end'] = (rig) =>
  undo(rig, `ALTER ROLE "holdfast" LOGIN CONNECTION LIMIT -1 PASSWORD 'holdfast'`);

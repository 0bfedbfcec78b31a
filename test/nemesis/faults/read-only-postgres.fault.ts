import { Prevented, type Fault } from '../fault.ts';
import { execute, undo } from './postgres-admin.ts';

export const what =
  'PostgreSQL refuses every write (default_transaction_read_only), as providers do when a disk runs full.';
export const targets = ['postgres'];
export const lasts: Fault['lasts'] = [1000, 5000];

export const begin: Fault['begin'] = async (rig) => {
  // The setting is a file of the data directory, of which a standby that is being built gets a copy.
  if (!rig.postgres.standby) throw new Prevented('A standby is being built');
  await execute(rig, 'ALTER SYSTEM SET default_transaction_read_only = on', 'SELECT pg_reload_conf()');
};

export const end: Fault['end'] = (rig) =>
  undo(rig, 'ALTER SYSTEM RESET default_transaction_read_only', 'SELECT pg_reload_conf()');

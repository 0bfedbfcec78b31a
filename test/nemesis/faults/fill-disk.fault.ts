import { answersQueries } from '../../../local/servers/postgres.ts';
import { noSmallDisks } from '../../../local/servers/small-disk.ts';
import { Prevented, type Fault } from '../fault.ts';
import { againAndAgain, stop } from './again-and-again.ts';

/** What needs room fails with 53100. When the log needs some, PostgreSQL ends, and cannot start before it gets it. */
export const what =
  'The disk of PostgreSQL is full: nothing new can be stored, and it may end because of that.';
export const targets = ['postgres'];
export const weight = 2;
export const lasts: Fault['lasts'] = [1500, 6000];

export const unavailable = noSmallDisks;

export const begin: Fault['begin'] = async (rig, step) => {
  const { disk } = rig.postgres;
  if (!disk) throw new Prevented('PostgreSQL is on a disk that cannot run full');
  await againAndAgain(step, 50, () => disk.fill());
};

export const end: Fault['end'] = async (rig, step) => {
  await stop(step);
  await rig.postgres.disk?.clear();
  const { primary } = rig.postgres;
  // PostgreSQL 18 does not recover from a recovery that found no room: it stays up and accepts nobody.
  if (await answersQueries(primary.adminUrl())) return;
  await primary.kill();
  await primary.restart();
};

import type { Fault } from '../fault.ts';

/** As in a rollout in which each replica has an init container. */
export const what = 'Two processes run `cli migrate` at the same time, with nothing to migrate.';
export const targets = ['cli'];

export const begin: Fault['begin'] = async (rig) => {
  await Promise.all([rig.cli(['migrate']), rig.cli(['migrate'])]);
};

import type { Fault } from '../fault.ts';

/** What was acknowledged is on the standby: commits are synchronous. */
export const what =
  'The primary of PostgreSQL dies and its standby takes over; for a while the address may lead to a server that refuses writes.';
export const targets = ['postgres'];
export const weight = 3;

export const draw: Fault['draw'] = (random) => ({
  readOnlyMs: random.chance(0.5) ? 0 : random.integer(300, 3000),
});

export const begin: Fault['begin'] = (rig, { with: { readOnlyMs } }) =>
  rig.postgres.failOver({ readOnlyMs: Number(readOnlyMs) });

import type { Fault } from '../fault.ts';

/** Replication is asynchronous: what Redis had acknowledged last may be lost. */
export const what =
  'The primary of Redis dies and its replica takes over; for a while the address may lead to a server that answers READONLY.';
export const targets = ['redis'];
export const weight = 3;

export const draw: Fault['draw'] = (random) => ({
  readOnlyMs: random.chance(0.5) ? 0 : random.integer(300, 3000),
});

export const begin: Fault['begin'] = (rig, { with: { readOnlyMs } }) =>
  rig.redis.failOver({ readOnlyMs: Number(readOnlyMs) });

import type { Fault } from '../fault.ts';

/** As when a virtual address or a DNS name moves in a planned failover: nothing closes the connections to the old primary. */
export const what =
  'The primary of Redis and its replica change places; connections stay open to the server that answers READONLY now.';
export const targets = ['redis'];
export const weight = 4;

export const begin: Fault['begin'] = (rig) => rig.redis.handOver();

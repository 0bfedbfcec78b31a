import { repositoryRoot } from '../../../../local/servers/paths.ts';
import { build as buildProduct } from '../../../../scripts/lib/build.ts';
import { startCast, type Role } from '../../clients/cast.ts';
import { keepSessions } from '../../clients/sessions.ts';
import { COMMON, discoverInvariants } from '../../invariants/discover.ts';
import type { Clients, Traffic } from '../../product.ts';
import type { Rig } from '../../rig.ts';
import * as roles from './clients.ts';
import type { Final } from './final.ts';
import { createWorld, worldOf, type World } from './world.ts';

export { afterwards } from './afterwards.ts';
export { final, unfinished } from './final.ts';
export { createWorld as prepare };

const CAST: readonly [name: string, role: Role<World>][] = [
  ['orders-1', roles.orders],
  ['orders-2', roles.orders],
  ['payments-1', roles.payments],
  ['payments-2', roles.payments],
  ['cancellations', roles.cancellations],
  ['changes', roles.changes],
  ['cached-reads-1', roles.cachedReads],
  ['cached-reads-2', roles.cachedReads],
  ['reads', roles.reads],
  ['exports', roles.exporting],
  ['sessions', keepSessions],
];

export async function build(): Promise<string> {
  await buildProduct({ onlyIfStale: true });
  return `${repositoryRoot}/dist`;
}

export const webhooks = '/v1/webhooks/payments';

export function settings(): Record<string, string> {
  return {
    // Access tokens outlive clocks that are minutes off: these faults are about everything else.
    AUTH_ACCESS_TOKEN_TTL_SECONDS: '86400',
    // Nothing but the end of each schedule waits for it.
    PAYMENT_RECONCILE_AFTER_SECONDS: '1',
  };
}

export function start(rig: Rig, how: Clients): Traffic {
  return startCast(CAST, worldOf(rig), { rig, ...how });
}

export const invariants = () => discoverInvariants<Final>(COMMON, import.meta.dirname);

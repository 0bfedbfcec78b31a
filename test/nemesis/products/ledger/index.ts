import type { Environment } from '../../../../local/processes.ts';
import { buildSpecimen } from '../../../specimen/build.ts';
import { ledgerSettings } from '../../../specimen/outside.ts';
import { startCast, type Role } from '../../clients/cast.ts';
import { keepSessions } from '../../clients/sessions.ts';
import { COMMON, discoverInvariants } from '../../invariants/discover.ts';
import type { Clients, Traffic } from '../../product.ts';
import type { Random } from '../../random.ts';
import type { Rig } from '../../rig.ts';
import * as roles from './clients.ts';
import { createWorld, worldOf, type World } from './world.ts';

export { buildSpecimen as build };
export { afterwards } from './afterwards.ts';
import type { Final } from './final.ts';
export { final, unfinished } from './final.ts';

/** Who takes part. */
const CAST: readonly [name: string, role: Role<World>][] = [
  ['transfers-1', roles.transfers],
  ['transfers-2', roles.transfers],
  ['transfers-3', roles.transfers],
  ['withdrawals-1', roles.withdrawals],
  ['withdrawals-2', roles.withdrawals],
  ['withdrawals-3', roles.withdrawals],
  ['changes-1', roles.changes],
  ['changes-2', roles.changes],
  ['cached-reads-1', roles.cachedReads],
  ['cached-reads-2', roles.cachedReads],
  ['reads', roles.reads],
  ['plain-features', roles.plainFeatures],
  ['sessions-1', keepSessions],
  ['sessions-2', keepSessions],
];

export function settings(env: Environment): Environment {
  return {
    ...ledgerSettings(env),
    // Access tokens outlive clocks that are minutes off: these faults are about everything else.
    AUTH_ACCESS_TOKEN_TTL_SECONDS: '86400',
    // Nothing but the end of each schedule waits for it.
    BANK_SETTLE_AFTER_SECONDS: '1',
  };
}

export async function prepare(rig: Rig, random: Random): Promise<void> {
  await createWorld(rig, random);
}

export function start(rig: Rig, how: Clients): Traffic {
  const world = worldOf(rig);
  // Never sent for anything: whatever logs the headers of a request logs it.
  const cookie = `canary=${how.random.integer(0, 2 ** 31).toString(36)}-cookie-canary`;
  world.secrets.push(cookie);
  return startCast(CAST, world, { rig, ...how, headers: { Cookie: cookie } });
}

export const invariants = () => discoverInvariants<Final>(COMMON, import.meta.dirname);

import { setTimeout as delay } from 'node:timers/promises';
import { Accounting } from './accounting.ts';
import type { Account } from './accounting.ts';
import type { Window } from './load/load-result.ts';
import type { RequestTemplate } from '../../local/requests.ts';
import { now } from './load/recorder.ts';
import type { Stage } from './stage.ts';
import { count, percent } from './wording.ts';

/** Code that runs for the first time is slow; a peak measured too early would be too low. */
const WARM_UP_MS = 3_000;
const SETTLING_MS = 500;

export interface Capacity {
  peak: Window;
  /** The number of clients. */
  clients: number;
  /** The resources that it used. */
  account: Account;
  /** The result of each number of clients. */
  attempts: string;
}

/**
 * The product's peak for such requests on this machine: clients send as fast as they are answered, in several numbers, and the
 * best result counts.
 */
export async function measureCapacity(
  stage: Stage,
  requests: RequestTemplate[],
  { clients = [48], forMs = 4_000 } = {},
): Promise<Capacity> {
  const measured: Omit<Capacity, 'attempts'>[] = [];
  for (const connections of clients) {
    const load = stage.load.start({
      streams: [{ name: 'capacity', ports: stage.ports, requests, pace: { kind: 'closed', connections } }],
    });
    await delay(measured.length === 0 ? WARM_UP_MS : SETTLING_MS);
    const accounting = await Accounting.open(stage);
    const from = now();
    await delay(forMs);
    const account = await accounting.close();
    const to = now();
    const result = await load.stop();
    measured.push({ peak: result.between({ from, to }), clients: connections, account });
  }
  const best = measured.reduce((one, other) => (other.peak.okPerSecond > one.peak.okPerSecond ? other : one));
  const attempts = measured.map(
    ({ clients: howMany, peak: { okPerSecond, refused, requests: sent } }) =>
      `${howMany} clients: ${count(okPerSecond)} a second, ${percent(refused / sent)} rejected`,
  );
  return { ...best, attempts: attempts.join('; ') };
}

import { setTimeout as delay } from 'node:timers/promises';
import { httpClient } from '../../../local/http.ts';
import type { LoadResult } from '../load/load-result.ts';
import type { Pace } from '../load/plan.ts';
import { listing, TRANSFERS } from '../../specimen/outside.ts';
import type { ScenarioReport } from '../scenario-report.ts';
import type { Customer } from '../bank.ts';
import type { Stage } from '../stage.ts';
import { count, percent } from '../wording.ts';

export const promise =
  'One client that exceeds its limit at two instances gets its limit, within 10 %, and is told when to retry; others are not affected.';
export const seconds = 22;
export const env = { RATE_LIMIT_ENABLED: 'true' };

/** RATE_LIMIT_REQUESTS as shipped, in a window of a minute. */
const LIMIT = 600;
const TOLERANCE = 0.1;

export async function run(stage: Stage, report: ScenarioReport): Promise<void> {
  const customers = await stage.customers(3);
  const [steady, sudden, bystander] = customers as [Customer, Customer, Customer];
  report.phase(`one client at 100 requests/s, ${count(LIMIT)} allowed`);
  const slowly = await ask(stage, steady, { kind: 'open', perSecond: 100 }, 9_000);
  judgeLimit(report, 'at 100 requests/s', slowly);
  report.phase('one client on 32 connections at full speed');
  const quickly = await ask(stage, sudden, { kind: 'closed', connections: 32 }, 3_000);
  judgeLimit(report, 'at full speed', quickly);

  const others = await Promise.all(
    stage.apis.map((api) => httpClient(api.url).as(bystander.token).get(TRANSFERS)),
  );
  const served = others.filter(({ status }) => status === 200).length;
  report.check(
    'another client is served by both instances',
    served === others.length,
    `${served} of ${others.length}`,
  );
  const refusals = await Promise.all(
    stage.apis.map((api) => httpClient(api.url).as(sudden.token).get(TRANSFERS)),
  );
  const wellFormed = refusals.every(
    ({ status, headers }) =>
      status === 429 &&
      headers.has('retry-after') &&
      headers.has('ratelimit') &&
      headers.has('ratelimit-policy'),
  );
  report.check(
    'rejections are 429 with Retry-After, RateLimit and RateLimit-Policy',
    wellFormed,
    refusals
      .map(({ status, headers }) => `${status} ${headers.get('ratelimit') ?? 'without RateLimit'}`)
      .join('; '),
  );
}

async function ask(stage: Stage, customer: Customer, pace: Pace, forMs: number): Promise<LoadResult> {
  const requests = [listing(customer.token)];
  const load = stage.load.start({
    streams: [{ name: 'asking', ports: stage.ports, requests, pace }],
  });
  await delay(forMs);
  return load.stop();
}

function judgeLimit(report: ScenarioReport, how: string, result: LoadResult): void {
  const { ok, refused, failed, requests } = result.all;
  const off = Math.abs(ok - LIMIT) / LIMIT;
  report.plot(`One client at both instances, ${how}`, result);
  report.check(
    `${how}: ${count(LIMIT)} requests are served, within ${percent(TOLERANCE, 0)}`,
    off <= TOLERANCE && requests > LIMIT * 1.3,
    `${count(ok)} of ${count(requests)}, ${percent(off)} off; ${count(refused)} rejected`,
  );
  report.check(`${how}: nothing fails`, failed === 0, count(failed));
}

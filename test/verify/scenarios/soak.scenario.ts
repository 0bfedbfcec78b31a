import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { measureCapacity } from '../capacity.ts';
import { now } from '../load/recorder.ts';
import type { RequestTemplate } from '../load/plan.ts';
import type { ScenarioReport } from '../scenario-report.ts';
import type { Stage } from '../stage.ts';
import { shoppers } from '../traffic.ts';
import { count, ms, percent, worstOf } from '../wording.ts';

export const promise =
  'Three minutes at 70 % of capacity leave the memory of every process as it was after warming up, within 5 %.';
export const seconds = 225;

const WARM_UP_MS = 30_000;
const SOAK_MS = 180_000;
const SHARE_OF_CAPACITY = 0.7;
const MOST_GROWTH = 0.05;
/**
 * RSS is compared between the first and the last such stretch, on average: memory goes up until the collector runs and then
 * down, every 10 to 80 s depending on the load, and single readings would only say when that was.
 */
const STRETCH_MS = 60_000;

interface Reading {
  at: number;
  mb: number;
}

export async function run(stage: Stage, report: ScenarioReport): Promise<void> {
  const people = await shoppers(stage, { customers: 8, orders: 80 });
  const requests = mixed(stage, people);
  report.phase('finding out how much it can do at most');
  const { peak, cpu } = await measureCapacity(stage, requests, 6_000);
  const perSecond = Math.round(peak.okPerSecond * SHARE_OF_CAPACITY);
  const load = stage.load.start({
    streams: [{ name: 'everything', ports: stage.ports, requests, pace: { kind: 'open', perSecond } }],
  });
  report.phase(`warming up at ${count(perSecond)} requests/s`);
  await delay(WARM_UP_MS);
  const processes = [
    ...stage.apis.map(({ pid }, i) => ({ name: `api ${i + 1}`, pid, readings: [] as Reading[] })),
    ...stage.workers.map(({ pid }, i) => ({ name: `worker ${i + 1}`, pid, readings: [] as Reading[] })),
  ];
  const until = Date.now() + SOAK_MS;
  await report.fault(`${SOAK_MS / 1_000} s at ${count(perSecond)} requests/s`, async () => {
    while (Date.now() < until) {
      for (const { pid, readings } of processes) readings.push({ at: now(), mb: residentMb(pid) });
      await delay(Math.min(1_000, Math.max(0, until - Date.now())));
    }
  });
  const result = await load.stop();

  report.plot('All traffic', result);
  report.plotLines({
    title: 'Resident memory',
    unit: 'MB',
    seconds: SOAK_MS / 1_000,
    lines: processes.map(({ name, readings }) => ({
      name,
      points: readings.map(({ at, mb }): [number, number] => [
        (at - readings[0]!.at) / 1_000,
        Math.round(mb),
      ]),
    })),
  });
  for (const { name, readings } of processes) {
    const first = average(readings.filter(({ at }) => at < readings[0]!.at + STRETCH_MS));
    const last = average(readings.filter(({ at }) => at > readings.at(-1)!.at - STRETCH_MS));
    const growth = last / first - 1;
    report.check(
      `${name}: RSS grows by less than ${percent(MOST_GROWTH, 0)}`,
      growth < MOST_GROWTH,
      `${percent(growth)}, from ${first.toFixed(0)} to ${last.toFixed(0)} MB`,
    );
  }
  const { failed, refused, failures, p50, p99, requests: sent } = result.all;
  report.check('no request fails', failed === 0, `${count(failed)} of ${count(sent)}${worstOf(failures)}`);
  report.figure('capacity', `${count(peak.okPerSecond)} requests/s`);
  report.figure('cores at capacity', cpu);
  report.figure('refused', count(refused));
  report.figure('p50 and p99', `${ms(p50)} and ${ms(p99)}`);
}

/** Of ten requests one places an order; the others look at products, orders and lists of them. */
function mixed(stage: Stage, people: Awaited<ReturnType<typeof shoppers>>): RequestTemplate[] {
  const { shop } = stage;
  const placing = shop.placing(people.customers);
  const browsing = shop.browsing();
  const reading = shop.reading(people.orders);
  return placing.flatMap((order, i) => [
    order,
    ...[0, 1, 2, 3].map((n) => browsing[(i * 4 + n) % browsing.length]!),
    ...[0, 1, 2, 3].map((n) => reading[(i * 4 + n) % reading.length]!),
    {
      method: 'GET' as const,
      path: '/v1/orders',
      headers: people.customers[i % people.customers.length]!.headers,
    },
  ]);
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
}

function average(readings: Reading[]): number {
  return readings.reduce((sum, { mb }) => sum + mb, 0) / Math.max(1, readings.length);
}

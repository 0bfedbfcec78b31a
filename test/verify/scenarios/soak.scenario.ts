import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describeCores } from '../accounting.ts';
import { measureCapacity } from '../capacity.ts';
import { now } from '../load/recorder.ts';
import type { RequestTemplate } from '../../../local/requests.ts';
import { listing } from '../../specimen/outside.ts';
import type { ScenarioReport } from '../scenario-report.ts';
import type { Stage } from '../stage.ts';
import { clientele } from '../traffic.ts';
import { count, ms, percent, worstOf } from '../wording.ts';

export const promise =
  'After three minutes at 70 % of capacity the memory of every process is within 5 % of that after warming up.';
export const seconds = 225;

const WARM_UP_MS = 30_000;
const SOAK_MS = 180_000;
const SHARE_OF_CAPACITY = 0.7;
const MOST_GROWTH = 0.05;
interface Reading {
  at: number;
  mb: number;
}

export async function run(stage: Stage, report: ScenarioReport): Promise<void> {
  const people = await clientele(stage, { customers: 8, transfers: 80 });
  const requests = mixed(stage, people);
  report.phase('measuring the capacity');
  const { peak, account } = await measureCapacity(stage, requests);
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
    const middle = (readings[0]!.at + readings.at(-1)!.at) / 2;
    const first = highest(readings.filter(({ at }) => at < middle));
    const second = highest(readings.filter(({ at }) => at >= middle));
    const growth = second / first - 1;
    report.check(
      `${name}: RSS grows by less than ${percent(MOST_GROWTH, 0)}`,
      growth < MOST_GROWTH,
      `${percent(growth)}, from ${first.toFixed(0)} to ${second.toFixed(0)} MB`,
    );
  }
  report.note(
    'Memory rises for a minute or more until a full garbage collection, and then falls by a third. The test compares how ' +
      'high it gets in the first and in the second half: a leak raises every peak, and the peak counts against a memory limit.',
  );
  const { failed, refused, failures, p50, p99, requests: sent } = result.all;
  report.check('no request fails', failed === 0, `${count(failed)} of ${count(sent)}${worstOf(failures)}`);
  report.figure('capacity', `${count(peak.okPerSecond)} requests/s`);
  report.figure('cores at capacity', describeCores(account));
  report.figure('rejected', count(refused));
  report.figure('p50 and p99', `${ms(p50)} and ${ms(p99)}`);
}

/** One of ten requests makes a transfer; the others read accounts, transfers and lists of them. */
function mixed(stage: Stage, people: Awaited<ReturnType<typeof clientele>>): RequestTemplate[] {
  const { bank } = stage;
  const transferring = bank.transferring(people.customers);
  const browsing = bank.browsing();
  const reading = bank.reading(people.transfers);
  return transferring.flatMap((transfer, i) => [
    transfer,
    ...[0, 1, 2, 3].map((n) => browsing[(i * 4 + n) % browsing.length]!),
    ...[0, 1, 2, 3].map((n) => reading[(i * 4 + n) % reading.length]!),
    listing(people.customers[i % people.customers.length]!.token),
  ]);
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
}

function highest(readings: Reading[]): number {
  return Math.max(...readings.map(({ mb }) => mb));
}

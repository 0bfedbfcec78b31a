import { setTimeout as delay } from 'node:timers/promises';
import type { Interval } from '../load/load-result.ts';
import { checkEventsAndMail } from '../mail-check.ts';
import type { ScenarioReport } from '../scenario-report.ts';
import type { Stage } from '../stage.ts';
import { clientele, ledgerTraffic } from '../traffic.ts';
import { count, ms, percent, worstOf } from '../wording.ts';

export const promise =
  'With Redis frozen 10 s and then restarted empty, at least 99.9 % of transfers and reads succeed with p99 under 500 ms, and every event is handled eventually.';
export const seconds = 45;

const FROZEN_MS = 10_000;
const AFTER_MS = 4_000;
const LEAST_SHARE = 0.999;
const P99_MS = 500;
const HANDLED_WITHIN_MS = 60_000;

export async function run(stage: Stage, report: ScenarioReport): Promise<void> {
  const { redis } = stage.stack;
  const people = await clientele(stage);
  const load = stage.load.start({
    streams: ledgerTraffic(stage, people, { transferring: 40, reading: 80, browsing: 80 }),
  });
  report.phase('quiet load');
  await delay(3_000);
  const frozen = await report.fault('Redis frozen', async () => {
    redis.freeze();
    await delay(FROZEN_MS);
  });
  const emptied = await report.fault('restarted empty', async () => {
    await redis.kill();
    await redis.restart();
  });
  report.phase('Redis is back, and empty');
  await delay(AFTER_MS);
  const result = await load.stop();

  report.plot('All traffic', result);
  const bad: Interval = { from: frozen.from, to: emptied.to + AFTER_MS };
  for (const name of result.names) {
    const { requests, ok, refused, failures, p99 } = result.stream(name).between(bad);
    const share = ok / requests;
    report.check(
      `${name}: at least ${percent(LEAST_SHARE)} succeed, p99 under ${P99_MS} ms`,
      share >= LEAST_SHARE && p99 < P99_MS,
      `${percent(share, 2)} of ${count(requests)} (${count(refused)} rejected${worstOf(failures)}), p99 ${ms(p99)}`,
    );
  }
  const took = await checkEventsAndMail(stage, report, people.customers, HANDLED_WITHIN_MS);
  report.figure('all events handled after the load ended', `${took.toFixed(1)} s`);
}

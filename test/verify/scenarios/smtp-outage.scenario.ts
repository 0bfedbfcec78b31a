import { setTimeout as delay } from 'node:timers/promises';
import { checkEventsAndMail } from '../mail-check.ts';
import { during } from '../during.ts';
import type { ScenarioReport } from '../scenario-report.ts';
import type { Stage } from '../stage.ts';
import { clientele, ledgerTraffic } from '../traffic.ts';
import { count, ms, worstOf } from '../wording.ts';

export const promise =
  'With the mail server unavailable for 20 s, first hanging and then dead, requests are not affected and all mail arrives, once.';
export const seconds = 60;

const HANGING_MS = 8_000;
const DEAD_MS = 12_000;
const ARRIVED_WITHIN_MS = 90_000;
/** "Not affected" as in the promise about the bank. */
const P99_FACTOR = 1.5;

export async function run(stage: Stage, report: ScenarioReport): Promise<void> {
  const { sink } = stage.stack;
  const people = await clientele(stage);
  const load = stage.load.start({
    streams: ledgerTraffic(stage, people, { transferring: 20, reading: 100, browsing: 100 }),
  });
  report.phase('quiet load');
  const before = await during(5_000);
  const hanging = await report.fault('SMTP hangs', async () => {
    sink.freeze();
    await delay(HANGING_MS);
  });
  const dead = await report.fault('SMTP is dead', async () => {
    await sink.kill();
    await delay(DEAD_MS);
    await sink.restart();
  });
  report.phase('SMTP is back');
  const after = await during(4_000);
  const result = await load.stop();

  report.plot('All traffic', result);
  const { requests, failed, refused, failures } = result.all;
  report.check(
    'no request fails or is rejected',
    failed + refused === 0,
    `${count(refused)} rejected, ${count(failed)} failed of ${count(requests)}${worstOf(failures)}`,
  );
  const quiet = result.between(before, after);
  const bad = result.between(hanging, dead);
  report.check(
    `p99 is at most ${P99_FACTOR} times that of quiet times`,
    bad.p99 <= P99_FACTOR * quiet.p99,
    `${ms(bad.p99)} against ${ms(quiet.p99)}`,
  );
  const took = await checkEventsAndMail(stage, report, people.customers, ARRIVED_WITHIN_MS);
  report.figure(
    'all mail arrived after SMTP came back',
    `${(took + (after.to - after.from) / 1_000).toFixed(1)} s`,
  );
}

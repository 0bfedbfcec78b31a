import { setTimeout as delay } from 'node:timers/promises';
import { acknowledgedTransfers, missingFrom } from '../acknowledged.ts';
import type { Interval } from '../load/load-result.ts';
import type { LoadResult } from '../load/load-result.ts';
import { Probe } from '../probe.ts';
import { describeWindow, isNormal, troubleAfter } from '../recovery.ts';
import { during } from '../during.ts';
import { transfersOf } from '../../specimen/outside.ts';
import type { ScenarioReport } from '../scenario-report.ts';
import type { Stage } from '../stage.ts';
import { BROWSING, clientele, ledgerTraffic, TRANSFERRING } from '../traffic.ts';
import { count, ms, worstOf } from '../wording.ts';

export const promise =
  'With PostgreSQL frozen 8 s, then killed and restarted, every answer is a fast 503 with Retry-After or a cached read, all is normal again within 3 s, and no acknowledged transfer is lost.';
export const seconds = 32;

const FROZEN_MS = 8_000;
const DOWN_MS = 2_000;
/** The 2 s of docs/degradation.md, and half a second for the load: times count from when a request was due, on shared cores. */
const ANSWER_WITHIN_MS = 2_500;
const NORMAL_WITHIN_MS = 3_000;

export async function run(stage: Stage, report: ScenarioReport): Promise<void> {
  const { postgres } = stage.stack;
  const people = await clientele(stage);
  const liveness = [...stage.apis, ...stage.workers].map(
    ({ managementUrl }) => new Probe(`${managementUrl}/health/live`),
  );
  const readiness = stage.apis.map(({ managementUrl }) => new Probe(`${managementUrl}/health/ready`));
  const load = stage.load.start({
    streams: ledgerTraffic(stage, people, { transferring: 40, reading: 80, browsing: 80 }),
  });
  report.phase('quiet load');
  const quiet = await during(4_000);
  const frozen = await report.fault('PostgreSQL frozen', async () => {
    postgres.freeze();
    await delay(FROZEN_MS);
    postgres.thaw();
  });
  report.phase('PostgreSQL is back');
  const afterThaw = await during(NORMAL_WITHIN_MS + 2_000);
  // Requests in flight when the next fault begins belong to that one.
  await delay(300);
  const down = await report.fault('PostgreSQL killed, restarted', async () => {
    await postgres.kill();
    await delay(DOWN_MS);
    await postgres.restart();
  });
  report.phase('PostgreSQL is back');
  const afterRestart = await during(NORMAL_WITHIN_MS + 2_000);
  const result = await load.stop();
  const probed = liveness.flatMap((probe) => probe.stop());
  const readyProbes = readiness.flatMap((probe) => probe.stop());

  report.plot('All traffic', result);
  judgeWindow(report, result, 'frozen', frozen);
  judgeWindow(report, result, 'killed', down);
  const dead = probed.filter(({ status }) => status !== 200).length;
  const slowest = Math.max(...probed.map(({ tookMs }) => tookMs));
  report.check(
    'liveness of all four processes is 200 throughout',
    dead === 0,
    `${count(dead)} of ${count(probed.length)} were not, slowest ${ms(slowest)}`,
  );
  const unready = readyProbes.filter(({ status }) => status !== 200).length;
  report.check(
    'both api instances stay ready, because an outage for all must not empty the load balancer',
    unready === 0,
    `${count(unready)} of ${count(readyProbes.length)} were not`,
  );
  judgeRecovery(report, result, 'the thaw', quiet, afterThaw);
  judgeRecovery(report, result, 'the restart', quiet, afterRestart);
  const acknowledged = acknowledgedTransfers(result.stream(TRANSFERRING).journal);
  const there = await transfersOf(
    stage.truth.query,
    people.customers.map(({ id }) => id),
  );
  const lost = missingFrom(there, acknowledged);
  report.check(
    'no acknowledged transfer is lost',
    lost.length === 0,
    `${count(lost.length)} of ${count(acknowledged.length)}`,
  );
}

function judgeWindow(report: ScenarioReport, result: LoadResult, what: string, window: Interval): void {
  const { requests, ok, refused, failed, failures, slowestAnswerMs } = result.between(window);
  report.check(
    `while it is ${what}, every answer is a success or a 503 problem document with Retry-After`,
    failed === 0,
    `${count(requests)} requests: ${count(ok)} served, ${count(refused)} rejected, ${count(failed)} failed${worstOf(failures)}`,
  );
  report.check(
    `while it is ${what}, every request is answered within ${ANSWER_WITHIN_MS / 1_000} s`,
    slowestAnswerMs <= ANSWER_WITHIN_MS,
    `slowest ${ms(slowestAnswerMs)}`,
  );
  const browsing = result.stream(BROWSING).between(window);
  report.check(
    `while it is ${what}, cached accounts are served`,
    browsing.requests > 0 && browsing.ok === browsing.requests,
    `${count(browsing.ok)} of ${count(browsing.requests)}`,
  );
}

function judgeRecovery(
  report: ScenarioReport,
  result: LoadResult,
  event: string,
  quiet: Interval,
  after: Interval,
): void {
  const recovered = result.between({ from: after.from + NORMAL_WITHIN_MS, to: after.to });
  report.check(
    `${NORMAL_WITHIN_MS / 1_000} s after ${event} everything is normal`,
    isNormal(recovered, result.between(quiet)),
    `${describeWindow(recovered)} (quiet: ${ms(result.between(quiet).p99)})`,
  );
  report.figure(`last rejection after ${event}`, ms(troubleAfter(result, after)));
}

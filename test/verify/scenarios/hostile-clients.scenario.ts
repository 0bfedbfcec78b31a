import { setTimeout as delay } from 'node:timers/promises';
import { HostileClients } from '../hostile-clients.ts';
import type { Interval } from '../load/load-result.ts';
import { during } from '../during.ts';
import { Probe } from '../probe.ts';
import { LOGIN } from '../../specimen/outside.ts';
import type { ScenarioReport } from '../scenario-report.ts';
import type { Stage } from '../stage.ts';
import { clientele, ledgerTraffic } from '../traffic.ts';
import { count, ms, worstOf } from '../wording.ts';

export const promise =
  'While 1,000 clients send headers and no body, 100 never read their answers and 100 send a byte a second, others are served as usual, and none is rejected.';
export const seconds = 62;

const HALF_OPEN = 1_000;
const NEVER_READING = 100;
const ONE_BYTE_A_SECOND = 100;
const P99_FACTOR = 1.5;
const MANAGEMENT_MS = 250;
const ARRIVING_MS = 4_000;
/** Longer than a request may take to arrive (30 s): slow senders are cut off, and reconnect. */
const ATTACK_MS = 36_000;
const QUIET_MS = 8_000;

const HEADERS = [
  `POST ${LOGIN} HTTP/1.1`,
  'Host: here',
  'Content-Type: application/json',
  'Content-Length: 200',
  '',
  '',
].join('\r\n');

export async function run(stage: Stage, report: ScenarioReport): Promise<void> {
  const { ports } = stage;
  const people = await clientele(stage);
  const load = stage.load.start({
    streams: ledgerTraffic(stage, people, { transferring: 20, reading: 120, browsing: 120 }),
  });
  // Code that runs for the first time is slow, which would make the bar too easy.
  await delay(6_000);
  report.phase('quiet load');
  const quiet: Interval = await during(QUIET_MS);

  const hostile = new HostileClients();
  const management = [...stage.apis].map(
    ({ managementUrl }) => new Probe(`${managementUrl}/health/live`, { everyMs: 100 }),
  );
  let held = 0;
  const attack = await report.fault('hostile clients', async () => {
    const where = { ports, overMs: ARRIVING_MS };
    hostile.start(HALF_OPEN, where, { opening: HEADERS });
    // 12 MB, more than the buffers of the kernel hold.
    const reading = 'GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: here\r\n\r\n'.repeat(8);
    hostile.start(NEVER_READING, where, { opening: reading, reads: false });
    hostile.start(ONE_BYTE_A_SECOND, where, { opening: HEADERS, trickle: ' ' });
    await delay(ARRIVING_MS + 1_000);
    held = hostile.connected;
    await delay(ATTACK_MS);
  });
  hostile.stop();
  for (const probe of management) probe.stop();
  const result = await load.stop();

  report.plot('Everybody else', result);
  const before = result.between(quiet);
  const under = result.between(attack);
  report.check(
    `p99 of all other clients is at most ${P99_FACTOR} times that of quiet times`,
    under.p99 <= P99_FACTOR * before.p99,
    `${ms(under.p99)} (quiet: ${ms(before.p99)})`,
  );
  report.check(
    'no other client is rejected',
    under.refused === 0,
    `${count(under.refused)} of ${count(under.requests)}`,
  );
  report.check(
    'no other client gets an error',
    under.failed === 0,
    `${count(under.failed)}${worstOf(under.failures)}`,
  );
  const slowest = Math.max(...management.map(({ slowestMs }) => slowestMs));
  const unwell = management.reduce((sum, probe) => sum + probe.count(({ status }) => status !== 200), 0);
  report.check(
    `the management ports answer within ${MANAGEMENT_MS} ms`,
    slowest <= MANAGEMENT_MS && unwell === 0,
    `slowest ${ms(slowest)}; ${count(unwell)} not 200`,
  );
  const all = HALF_OPEN + NEVER_READING + ONE_BYTE_A_SECOND;
  report.check(
    'the attack took place',
    held >= all * 0.95,
    `${count(held)} of ${count(all)} connected at the same time`,
  );
  report.check(
    'each client that sends too slowly is disconnected',
    hostile.cutOff >= HALF_OPEN + ONE_BYTE_A_SECOND,
    `${count(hostile.cutOff)} times`,
  );
  report.figure('maximum delay of the load generator', ms(result.lagMs));
}

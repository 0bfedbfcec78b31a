import { setTimeout as delay } from 'node:timers/promises';
import type { ScenarioReport } from '../scenario-report.ts';
import type { Stage } from '../stage.ts';
import { clientele, ledgerTraffic } from '../traffic.ts';
import { count, ms, worstOf } from '../wording.ts';

export const promise =
  'Behind a proxy, replacing both api instances one after the other under load fails no request.';
export const seconds = 30;

const LEAST_REQUESTS = 10_000;
const RATES = { transferring: 40, reading: 200, browsing: 300 };

export async function run(stage: Stage, report: ScenarioReport): Promise<void> {
  const people = await clientele(stage);
  const proxy = await stage.behindProxy();
  const load = stage.load.start({ streams: ledgerTraffic(stage, people, RATES, [proxy.port]) });
  report.phase('load through HAProxy');
  await delay(2_000);
  const exits: string[] = [];
  for (const [i, api] of stage.apis.entries()) {
    await report.fault(`api ${i + 1} is replaced`, async () => {
      const { code, signal } = await api.stop('SIGTERM');
      exits.push(signal ?? String(code));
      await api.startAgain();
    });
    report.phase('both instances serve again');
    await delay(1_500);
  }
  await delay(Math.max(0, 1_000 * (LEAST_REQUESTS / 540) - (Date.now() - startOf(report))));
  const result = await load.stop();

  const { requests, failed, refused, p50, p99, failures } = result.all;
  report.plot('All traffic through the proxy', result);
  report.check(`at least ${count(LEAST_REQUESTS)} requests`, requests >= LEAST_REQUESTS, count(requests));
  report.check('no request fails', failed === 0, `${count(failed)}${worstOf(failures)}`);
  report.check('no request is rejected', refused === 0, count(refused));
  const orderly = exits.every((exit) => exit === '0');
  report.check('both instances end with exit code 0', orderly, exits.join(' and '));
  report.figure('p50 and p99', `${ms(p50)} and ${ms(p99)}`);
  report.note(
    'HAProxy asks for readiness every 250 ms, removes a server after two failures, and retries nothing (retries 0).',
  );
}

function startOf(report: ScenarioReport): number {
  return report.faults[0]?.from ?? Date.now();
}

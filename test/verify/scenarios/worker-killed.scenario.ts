import { setTimeout as delay } from 'node:timers/promises';
import { acknowledgedTransfers, missingFrom } from '../acknowledged.ts';
import { checkEventsAndMail } from '../mail-check.ts';
import { checkWithdrawals, withdrawUntilAnswered } from '../withdrawal-check.ts';
import type { AppProcess } from '../../../local/processes.ts';
import { transfersOf } from '../../specimen/outside.ts';
import type { ScenarioReport } from '../scenario-report.ts';
import type { Stage } from '../stage.ts';
import { count, worstOf } from '../wording.ts';

export const promise =
  'With workers killed by SIGKILL 20 times while 1,000 transfers flow, no event is lost and no e-mail or payment is duplicated.';
export const seconds = 60;

const KILLS = 20;
const TRANSFERS = 1_000;
const PAID = 200;
const TRANSFERS_PER_SECOND = 33;
const HANDLED_WITHIN_MS = 90_000;

export async function run(stage: Stage, report: ScenarioReport): Promise<void> {
  const { bank } = stage;
  const customers = await stage.customers(6);
  const withdrawals = bank.withdrawing(customers, PAID, (i) =>
    i % 5 === 0 ? 'pm_card_charged_then_dropped' : 'pm_card_ok',
  );
  const { ports } = stage;
  const load = stage.load.start({
    streams: [
      {
        name: 'making transfers',
        ports,
        requests: bank.transferring(customers),
        pace: { kind: 'open', perSecond: TRANSFERS_PER_SECOND },
        journal: true,
      },
    ],
  });
  const withdrawing = stage.load.start({
    streams: [
      {
        name: 'withdrawing',
        ports,
        requests: withdrawals,
        once: true,
        pace: { kind: 'open', perSecond: 8 },
        journal: true,
      },
    ],
  });
  const started = Date.now();
  const killAgainAndAgain = async (worker: AppProcess, times: number): Promise<void> => {
    for (let kill = 0; kill < times; kill += 1) {
      await delay(200 + Math.random() * 800);
      await report.fault('', () => worker.kill());
      kills += 1;
      report.phase(`SIGKILL ${kills} of ${KILLS}`);
      await worker.startAgain();
    }
  };
  let kills = 0;
  // Independently: one of them is down, or the other, or both.
  await Promise.all(stage.workers.map((worker) => killAgainAndAgain(worker, KILLS / stage.workers.length)));
  await delay(Math.max(0, started + (TRANSFERS / TRANSFERS_PER_SECOND) * 1_000 + 500 - Date.now()));
  const result = await load.stop();
  const paid = await withdrawing.finished;

  const { requests, ok, failed, refused, failures } = result.all;
  report.plot('Transfers, and when a worker was killed', result);
  report.check(
    `at least ${count(TRANSFERS)} transfers are made`,
    ok >= TRANSFERS,
    `${count(ok)} of ${count(requests)} requests`,
  );
  report.check(
    'transfers are not affected',
    failed + refused === 0,
    `${count(refused)} rejected, ${count(failed)} failed${worstOf(failures)}`,
  );
  const ids = customers.map(({ id }) => id);
  const acknowledged = acknowledgedTransfers(result.journal);
  const lost = missingFrom(await transfersOf(stage.truth.query, ids), acknowledged);
  report.check('no acknowledged transfer is lost', lost.length === 0, count(lost.length));
  await withdrawUntilAnswered(stage, withdrawals, paid.journal);
  const took = await checkEventsAndMail(stage, report, customers, HANDLED_WITHIN_MS);
  await checkWithdrawals(stage, report, customers, HANDLED_WITHIN_MS);
  report.figure('all events handled after the last transfer', `${took.toFixed(1)} s`);
  report.figure('SIGKILLs', count(kills));
}

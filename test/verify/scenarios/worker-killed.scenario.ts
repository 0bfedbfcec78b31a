import { setTimeout as delay } from 'node:timers/promises';
import { acknowledgedOrders, missingFrom } from '../acknowledged.ts';
import { checkEventsAndMail } from '../mail-check.ts';
import { checkPayments, payUntilAnswered } from '../payment-check.ts';
import type { AppProcess } from '../../../local/processes.ts';
import type { ScenarioReport } from '../scenario-report.ts';
import type { Stage } from '../stage.ts';
import { count, worstOf } from '../wording.ts';

export const promise =
  'With workers killed by SIGKILL 20 times while 1,000 orders flow, no event is lost and no e-mail or charge is doubled.';
export const seconds = 60;

const KILLS = 20;
const ORDERS = 1_000;
const PAID = 200;
const ORDERS_PER_SECOND = 33;
const HANDLED_WITHIN_MS = 90_000;

export async function run(stage: Stage, report: ScenarioReport): Promise<void> {
  const { shop, stack } = stage;
  const customers = await stage.customers(6);
  // Without webhooks, what the provider charged without an answer is found by the reconciliation, which is a worker's job.
  await stack.sandbox.setWebhooks(false);
  report.phase('placing the orders that will be paid');
  const toPay = await shop.place(stage.apis[0]!.url, customers, PAID);
  const payments = toPay.flatMap((order, i) =>
    shop.paying([order], i % 5 === 0 ? 'pm_card_charged_then_dropped' : 'pm_card_ok'),
  );
  const { ports } = stage;
  const load = stage.load.start({
    streams: [
      {
        name: 'placing orders',
        ports,
        requests: shop.placing(customers),
        pace: { kind: 'open', perSecond: ORDERS_PER_SECOND },
        journal: true,
      },
    ],
  });
  const paying = stage.load.start({
    streams: [
      {
        name: 'paying',
        ports,
        requests: payments,
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
  // Each on its own: now one of them is down, now the other, now both.
  await Promise.all(stage.workers.map((worker) => killAgainAndAgain(worker, KILLS / stage.workers.length)));
  await delay(Math.max(0, started + (ORDERS / ORDERS_PER_SECOND) * 1_000 + 500 - Date.now()));
  const result = await load.stop();
  const paid = await paying.finished;

  const { requests, ok, failed, refused, failures } = result.all;
  report.plot('Orders, and when a worker was killed', result);
  report.check(
    `at least ${count(ORDERS)} orders are placed`,
    ok >= ORDERS,
    `${count(ok)} of ${count(requests)} requests`,
  );
  report.check(
    'placing orders is not affected',
    failed + refused === 0,
    `${count(refused)} refused, ${count(failed)} failed${worstOf(failures)}`,
  );
  const ids = customers.map(({ id }) => id);
  const acknowledged = acknowledgedOrders(result.journal);
  const lost = missingFrom(await stage.truth.ordersOf(ids), acknowledged);
  report.check('no acknowledged order is lost', lost.length === 0, count(lost.length));
  await payUntilAnswered(stage, payments, paid.journal);
  const took = await checkEventsAndMail(stage, report, customers, HANDLED_WITHIN_MS);
  await checkPayments(stage, report, customers, HANDLED_WITHIN_MS);
  report.figure('all events handled after the last order', `${took.toFixed(1)} s`);
  report.figure('SIGKILLs', count(kills));
}

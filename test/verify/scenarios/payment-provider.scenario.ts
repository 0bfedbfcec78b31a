import { setTimeout as delay } from 'node:timers/promises';
import type { SandboxMood } from '../../support/payment-sandbox.ts';
import type { Interval } from '../load/load-result.ts';
import { now } from '../load/recorder.ts';
import { checkPayments, payUntilAnswered } from '../payment-check.ts';
import { sampleOf } from '../probe.ts';
import { during } from '../during.ts';
import type { ScenarioReport } from '../scenario-report.ts';
import type { Stage } from '../stage.ts';
import { shoppers, shopTraffic } from '../traffic.ts';
import { count, ms, worstOf } from '../wording.ts';

export const promise =
  'When the payment provider hangs, fails, or charges and drops the connection, the breaker opens within 10 s, other routes do not notice, and every payment settles to the provider’s truth, none charged twice.';
export const seconds = 65;

const BREAKER_WITHIN_MS = 10_000;
const P99_FACTOR = 1.5;
const PAYMENTS_PER_SECOND = 12;
const SETTLED_WITHIN_MS = 60_000;
const OPEN = 1;
const TROUBLES: { mood: SandboxMood; label: string; forMs: number }[] = [
  { mood: 'hang', label: 'provider hangs', forMs: 8_000 },
  { mood: 'error', label: 'provider fails', forMs: 6_000 },
  { mood: 'charged_then_dropped', label: 'charges, then drops', forMs: 6_000 },
];
/** Longer than the breaker waits before it tries again. */
const RECOVERY_MS = 4_000;

export async function run(stage: Stage, report: ScenarioReport): Promise<void> {
  const { shop, stack, ports } = stage;
  const people = await shoppers(stage, { customers: 6 });
  report.phase('placing the orders that will be paid');
  const length = TROUBLES.reduce((sum, { forMs }) => sum + forMs + RECOVERY_MS, RECOVERY_MS);
  const toPay = await shop.place(
    stage.apis[0]!.url,
    people.customers,
    Math.ceil((length / 1_000) * PAYMENTS_PER_SECOND),
  );
  const payments = shop.paying(toPay, 'pm_card_ok');
  const others = stage.load.start({
    streams: shopTraffic(stage, people, { placing: 20, reading: 120, browsing: 120 }),
  });
  const paying = stage.load.start({
    streams: [
      {
        name: 'paying',
        ports,
        requests: payments,
        once: true,
        pace: { kind: 'open', perSecond: PAYMENTS_PER_SECOND },
        expected: [402],
        journal: true,
      },
    ],
  });
  report.phase('a quiet time');
  const quiet: Interval[] = [await during(RECOVERY_MS)];
  const troubled: Interval[] = [];
  for (const { mood, label, forMs } of TROUBLES) {
    const opened = watchBreakers(stage);
    troubled.push(
      await report.fault(label, async () => {
        await stack.sandbox.setMood(mood);
        await delay(forMs);
        await stack.sandbox.setMood(null);
      }),
    );
    const openedAfter = await opened.stop();
    report.check(
      `${label}: the breaker of both instances opens within ${BREAKER_WITHIN_MS / 1_000} s`,
      openedAfter.every((after) => after !== undefined && after <= BREAKER_WITHIN_MS),
      openedAfter.map((after) => (after === undefined ? 'never' : ms(after))).join(' and '),
    );
    report.phase('provider is well');
    const well = await during(RECOVERY_MS);
    // The breaker has to find out first, and what hung has to end.
    quiet.push({ from: well.from + 1_500, to: well.to });
  }
  const paid = await paying.finished;
  const rest = await others.stop();

  const usual = rest.between(...quiet);
  const then = rest.between(...troubled);
  report.plot('Other routes', rest);
  report.plot('Payments', paid);
  report.check(
    `p99 of other routes is at most ${P99_FACTOR} times that of quiet times`,
    then.p99 <= P99_FACTOR * usual.p99,
    `${ms(then.p99)} against ${ms(usual.p99)}`,
  );
  report.check(
    'no request to other routes fails or is refused',
    rest.all.failed + rest.all.refused === 0,
    `${count(rest.all.refused)} refused, ${count(rest.all.failed)} failed${worstOf(rest.all.failures)}`,
  );
  const { failed, failures, refused, statuses } = paid.all;
  report.check(
    'every payment is answered: done, not known yet, or not now',
    failed === 0,
    `${count(failed)} failed${worstOf(failures)}`,
  );
  report.figure('answers to payments', describe(statuses));
  report.figure('payments refused by the breaker', count(refused));
  report.phase('repeating the payments that were refused');
  await payUntilAnswered(stage, payments, paid.journal);
  await checkPayments(stage, report, people.customers, SETTLED_WITHIN_MS);
}

/** Notes when each api's breaker for the provider is first seen open. */
function watchBreakers(stage: Stage): { stop(): Promise<(number | undefined)[]> } {
  const from = now();
  const openedAfter: (number | undefined)[] = stage.apis.map(() => undefined);
  let watching = true;
  const watch = async (): Promise<void> => {
    while (watching) {
      await Promise.all(
        stage.apis.map(async ({ management }, i) => {
          if (openedAfter[i] !== undefined) return;
          const { text } = await management.get('/metrics', { timeoutMs: 2_000 });
          const state = sampleOf(text, 'dependency_circuit_state', 'dependency="payment-provider"');
          if (state === OPEN) openedAfter[i] = now() - from;
        }),
      );
      await delay(200);
    }
  };
  const ended = watch();
  return {
    stop: async () => {
      watching = false;
      await ended;
      return openedAfter;
    },
  };
}

function describe(statuses: Record<number, number>): string {
  return Object.entries(statuses)
    .map(([status, times]) => `${count(times)} x ${status}`)
    .join(', ');
}

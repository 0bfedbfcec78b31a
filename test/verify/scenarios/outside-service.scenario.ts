import { setTimeout as delay } from 'node:timers/promises';
import type { SandboxMood } from '../../../local/payment-sandbox.ts';
import { waitFor } from '../../../local/wait-for.ts';
import type { Interval } from '../load/load-result.ts';
import { now } from '../load/recorder.ts';
import { checkWithdrawals, withdrawUntilAnswered } from '../withdrawal-check.ts';
import { sampleOf } from '../probe.ts';
import { during } from '../during.ts';
import type { ScenarioReport } from '../scenario-report.ts';
import type { Stage } from '../stage.ts';
import { clientele, ledgerTraffic } from '../traffic.ts';
import { count, ms, worstOf } from '../wording.ts';

export const promise =
  'When the bank hangs, fails, or pays and drops the connection, the breaker opens within 10 s, other routes are not affected, and every withdrawal is settled as at the bank, none paid twice.';
export const seconds = 65;

const BREAKER_WITHIN_MS = 10_000;
const P99_FACTOR = 1.5;
const WITHDRAWALS_PER_SECOND = 12;
const SETTLED_WITHIN_MS = 60_000;
/** Values of the metric `dependency_circuit_state`. */
const CLOSED = 0;
const OPEN = 1;
const TROUBLES: { mood: SandboxMood; label: string; forMs: number }[] = [
  { mood: 'hang', label: 'the bank hangs', forMs: 8_000 },
  { mood: 'error', label: 'the bank fails', forMs: 6_000 },
  { mood: 'charged_then_dropped', label: 'pays, then drops', forMs: 6_000 },
];
/** Longer than the breaker waits before it retries. */
const RECOVERY_MS = 4_000;
const CLOSED_WITHIN_MS = 15_000;

export async function run(stage: Stage, report: ScenarioReport): Promise<void> {
  const { bank, stack, ports } = stage;
  const people = await clientele(stage, { customers: 6 });
  // More than will be sent: a key that is used again would be answered without calling the bank.
  const length = TROUBLES.reduce((sum, { forMs }) => sum + forMs + RECOVERY_MS + 3_000, RECOVERY_MS);
  const withdrawals = bank.withdrawing(
    people.customers,
    Math.ceil((length / 1_000) * WITHDRAWALS_PER_SECOND),
  );
  const others = stage.load.start({
    streams: ledgerTraffic(stage, people, { transferring: 20, reading: 120, browsing: 120 }),
  });
  const withdrawing = stage.load.start({
    streams: [
      {
        name: 'withdrawing',
        ports,
        requests: withdrawals,
        pace: { kind: 'open', perSecond: WITHDRAWALS_PER_SECOND },
        expected: [402],
        journal: true,
      },
    ],
  });
  report.phase('quiet load');
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
    report.phase('the bank is back');
    const endedAt = now();
    await waitFor(async () => (await circuitsOf(stage)).every((state) => state === CLOSED), {
      within: CLOSED_WITHIN_MS,
      every: 100,
      what: 'the breakers to close',
    });
    report.figure(`${label}: closed again after`, ms(now() - endedAt));
    quiet.push(await during(RECOVERY_MS));
  }
  const paid = await withdrawing.stop();
  const rest = await others.stop();

  const usual = rest.between(...quiet);
  const then = rest.between(...troubled);
  report.plot('Other routes', rest);
  report.plot('Withdrawals', paid);
  report.check(
    `p99 of other routes is at most ${P99_FACTOR} times that of quiet times`,
    then.p99 <= P99_FACTOR * usual.p99,
    `${ms(then.p99)} against ${ms(usual.p99)}`,
  );
  report.check(
    'no request to other routes fails or is rejected',
    rest.all.failed + rest.all.refused === 0,
    `${count(rest.all.refused)} rejected, ${count(rest.all.failed)} failed${worstOf(rest.all.failures)}`,
  );
  const { failed, failures, refused, statuses } = paid.all;
  report.check(
    'every withdrawal is answered: done, outcome unknown, or unavailable',
    failed === 0,
    `${count(failed)} failed${worstOf(failures)}`,
  );
  report.figure('answers to withdrawals', describe(statuses));
  report.figure('withdrawals rejected by the breaker', count(refused));
  report.phase('retrying the rejected withdrawals');
  await withdrawUntilAnswered(stage, withdrawals, paid.journal);
  await checkWithdrawals(stage, report, people.customers, SETTLED_WITHIN_MS);
}

/** Records when each api's breaker for the bank is first seen open. */
function watchBreakers(stage: Stage): { stop(): Promise<(number | undefined)[]> } {
  const from = now();
  const openedAfter: (number | undefined)[] = stage.apis.map(() => undefined);
  let watching = true;
  const watch = async (): Promise<void> => {
    while (watching) {
      for (const [i, state] of (await circuitsOf(stage)).entries()) {
        if (state === OPEN) openedAfter[i] ??= now() - from;
      }
      await delay(150);
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

/** The state of each api's breaker for the bank, from its metrics. */
function circuitsOf(stage: Stage): Promise<(number | undefined)[]> {
  return Promise.all(
    stage.apis.map(async ({ management }) => {
      const { text } = await management.get('/metrics', { timeoutMs: 2_000 });
      return sampleOf(text, 'dependency_circuit_state', 'dependency="bank"');
    }),
  );
}

function describe(statuses: Record<number, number>): string {
  return Object.entries(statuses)
    .map(([status, times]) => `${count(times)} x ${status}`)
    .join(', ');
}

import { httpClient } from '../../local/http.ts';
import { waitFor } from '../../local/wait-for.ts';
import type { RequestTemplate } from '../../local/requests.ts';
import { balancesOf, isUnsettled, withdrawalsOf } from '../specimen/outside.ts';
import type { JournalEntry } from './load/plan.ts';
import type { ScenarioReport } from './scenario-report.ts';
import { OPENING_BALANCE, type Customer } from './bank.ts';
import type { Stage } from './stage.ts';
import type { SettledWithdrawal } from './truth.ts';
import { count } from './wording.ts';

const ATTEMPTS = 20;

/**
 * Retries like a client that was refused or got no answer: the withdrawal with its key, until there is an answer.
 * @returns how many withdrawals that were
 */
export async function withdrawUntilAnswered(
  stage: Stage,
  requests: RequestTemplate[],
  journal: JournalEntry[],
): Promise<number> {
  const open = journal.filter(({ outcome }) => outcome !== 'ok').map(({ request }) => requests[request]!);
  const http = httpClient(stage.apis[0]!.url);
  for (const { path, body, headers, idempotencyKey } of open) {
    for (let attempt = 1; ; attempt += 1) {
      const all = { ...headers, 'Idempotency-Key': String(idempotencyKey) };
      const { status, text, headers: answered } = await http.post(path, body, { headers: all });
      if (status < 300 || status === 402) break;
      if (attempt === ATTEMPTS) throw new Error(`A withdrawal was never answered: ${status} ${text}`);
      await new Promise((resolve) => {
        setTimeout(resolve, Number(answered.get('retry-after') ?? 1) * 1_000);
      });
    }
  }
  return open.length;
}

/** Waits until no withdrawal of these customers is open, then compares each one with the bank's books. */
export async function checkWithdrawals(
  stage: Stage,
  report: ScenarioReport,
  customers: Customer[],
  withinMs: number,
): Promise<void> {
  report.phase('waiting until every withdrawal is settled');
  const ids = customers.map(({ id }) => id);
  const allSettled = async (): Promise<boolean> =>
    !(await withdrawalsOf(stage.truth.query, ids)).some(isUnsettled);
  const started = Date.now();
  await waitFor(allSettled, { within: withinMs, every: 250 }).catch(() => undefined);
  report.figure('all withdrawals settled after', `${((Date.now() - started) / 1_000).toFixed(1)} s`);

  const withdrawals = await stage.truth.withdrawals(ids);
  const wrong = withdrawals.filter(({ status, bank }) => status !== bank);
  const statuses = Map.groupBy(withdrawals, ({ status }) => status);
  const summary = [...statuses].map(([status, rows]) => `${count(rows.length)} ${status}`).join(', ');
  report.check(
    "every withdrawal is settled to the bank's truth",
    wrong.length === 0,
    `${count(wrong.length)} are wrong; ${summary}`,
  );
  const twice = withdrawals.filter(({ timesPaid }) => timesPaid > 1);
  report.check(
    'no withdrawal is paid twice',
    twice.length === 0,
    `${count(twice.length)} of ${count(withdrawals.length)}`,
  );
  await checkBalances(stage, report, customers, withdrawals);
}

/** No money appears or vanishes: balances are the opening ones, less what was transferred and paid out. */
async function checkBalances(
  stage: Stage,
  report: ScenarioReport,
  customers: Customer[],
  withdrawals: SettledWithdrawal[],
): Promise<void> {
  const rows = await balancesOf(
    stage.truth.query,
    customers.flatMap(({ accounts }) => accounts),
  );
  const paidOut = new Map<string, number>();
  for (const { accountId, amount, status } of withdrawals)
    if (status === 'succeeded') paidOut.set(accountId, (paidOut.get(accountId) ?? 0) + amount);
  const wrong = rows.filter(
    ({ id, present, transferred }) =>
      Number(present) !== OPENING_BALANCE - Number(transferred) - (paidOut.get(id) ?? 0),
  );
  report.check(
    'balances are lower by exactly what was transferred and paid out',
    wrong.length === 0,
    `${count(wrong.length)} of ${count(rows.length)} are wrong`,
  );
}

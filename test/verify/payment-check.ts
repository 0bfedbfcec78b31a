import { httpClient } from '../../local/http.ts';
import { waitFor } from '../../local/wait-for.ts';
import type { JournalEntry, RequestTemplate } from './load/plan.ts';
import type { ScenarioReport } from './scenario-report.ts';
import type { Customer } from './shop.ts';
import type { Stage } from './stage.ts';
import { count } from './wording.ts';

const ATTEMPTS = 20;

/**
 * Does what a client does that was refused or got no answer: repeats the payment with its key until there is one.
 * @returns how many payments that were
 */
export async function payUntilAnswered(
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
      if (attempt === ATTEMPTS) throw new Error(`A payment was never answered: ${status} ${text}`);
      await new Promise((resolve) => {
        setTimeout(resolve, Number(answered.get('retry-after') ?? 1) * 1_000);
      });
    }
  }
  return open.length;
}

/** Waits until no payment of these customers is open, then compares each one with the provider's books. */
export async function checkPayments(
  stage: Stage,
  report: ScenarioReport,
  customers: Customer[],
  withinMs: number,
): Promise<void> {
  report.phase('waiting until every payment is settled');
  const ids = customers.map(({ id }) => id);
  const unsettled = (): Promise<number> =>
    stage.truth.count(
      "SELECT count(*) FROM payments WHERE user_id = ANY ($1) AND status IN ('pending', 'unknown')",
      [ids],
    );
  const started = Date.now();
  await waitFor(async () => (await unsettled()) === 0, { within: withinMs, every: 250 }).catch(
    () => undefined,
  );
  report.figure('all payments settled after', `${((Date.now() - started) / 1_000).toFixed(1)} s`);

  const payments = await stage.truth.payments(ids);
  const wrong = payments.filter(({ status, provider }) => status !== provider);
  const statuses = Map.groupBy(payments, ({ status }) => status);
  const summary = [...statuses].map(([status, rows]) => `${count(rows.length)} ${status}`).join(', ');
  report.check(
    "every payment is settled to the provider's truth",
    wrong.length === 0,
    `${count(wrong.length)} are not; ${summary}`,
  );
  const doubled = payments.filter(({ timesCharged }) => timesCharged > 1);
  const { succeededByReference } = await stage.stack.sandbox.summary();
  const orders = new Set(payments.map(({ orderId }) => orderId));
  const twice = Object.entries(succeededByReference).filter(
    ([order, times]) => orders.has(order) && times > 1,
  );
  report.check(
    'no order is charged twice',
    doubled.length + twice.length === 0,
    `${count(doubled.length + twice.length)} of ${count(orders.size)}`,
  );
  const paid = new Set(payments.filter(({ status }) => status === 'succeeded').map(({ orderId }) => orderId));
  const rows = await stage.truth.query<{ id: string; status: string }>(
    'SELECT id, status FROM orders WHERE id = ANY ($1)',
    [[...orders]],
  );
  const contradicting = rows.filter(({ id, status }) => (status === 'paid') !== paid.has(id));
  report.check(
    'orders are paid exactly when their payment succeeded',
    contradicting.length === 0,
    `${count(contradicting.length)} contradict`,
  );
}

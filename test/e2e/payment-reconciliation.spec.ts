import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PaymentReconciliation } from '../../src/modules/payments/payment-reconciliation.js';
import { newId } from '../../src/platform/database/index.js';
import { waitFor } from '../../local/wait-for.ts';
import { startBackground, type Background } from './background.ts';
import { openShop, type Shop } from './shop.ts';
import { newProduct } from '../factories/products.ts';
import { newUser, type TestUser } from '../factories/users.ts';
import { withKey } from '../factories/keys.ts';
import { newOrder } from '../factories/orders.ts';

let shop: Shop;
let ada: TestUser;
let chair: string;

async function open(env: Record<string, string> = {}): Promise<void> {
  shop = await openShop(env);
  ada = await newUser(shop);
  chair = await newProduct(shop, { amount: 1990, stock: 10_000 });
  await shop.sandbox.setWebhooks(false);
}

/** An order that the provider has charged (or not decided upon) without our having heard of it, due to be looked at. */
async function unsettled(paymentMethod: string): Promise<string> {
  const order = await newOrder(ada, chair);
  const paymentId = newId();
  await charge(paymentId, { reference: order.id, paymentMethod });
  await shop.sql('UPDATE orders SET payment_id = $2 WHERE id = $1', [order.id, paymentId]);
  await shop.sql(
    `INSERT INTO payments
       (id, order_id, user_id, status, amount, currency, payment_method, charging_until, next_check_at)
     VALUES ($1, $2, $3, 'unknown', 1990, 'EUR', $4, now(), now() - interval '1 second')`,
    [paymentId, order.id, ada.userId, paymentMethod],
  );
  return order.id;
}

/** Charges at the provider alone. */
async function charge(
  paymentId: string,
  { reference, paymentMethod = 'pm_card_ok' }: { reference: string; paymentMethod?: string },
): Promise<void> {
  await fetch(`${shop.sandbox.url}/v1/charges`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'Idempotency-Key': paymentId,
      Authorization: `Bearer ${shop.settings.payments.apiKey}`,
    },
    body: JSON.stringify({ amount: 1990, currency: 'EUR', paymentMethod, reference }),
  }).catch(() => undefined);
}

async function paid(orders: string[]): Promise<number> {
  const [row] = await shop.sql<{ paid: number }>(
    `SELECT count(*)::int AS paid FROM orders WHERE id = ANY ($1) AND status = 'paid'`,
    [orders],
  );
  return row?.paid ?? 0;
}

describe('The reconciliation', () => {
  beforeAll(() => open({ PAYMENT_RECONCILE_AFTER_SECONDS: '5', PAYMENT_PROVIDER_TIMEOUT_MS: '1000' }));
  afterAll(() => shop?.close());

  // Lookups that fail or hang open the circuit now and then, and each time the next run goes on: how often is luck.
  it.each(['pm_card_processing', 'pm_card_lookup_error', 'pm_card_lookup_hang'] as const)(
    'settles 290 payments though the ten oldest are stuck (%s)',
    async (method) => {
      const stuck = await Promise.all(Array.from({ length: 10 }, () => unsettled(method)));
      const others: string[] = [];
      for (let n = 0; n < 29; n += 1)
        others.push(...(await Promise.all(Array.from({ length: 10 }, () => unsettled('pm_card_ok')))));
      const worker: Background = await startBackground(shop.settings);
      try {
        await waitFor(async () => (await paid(others)) === others.length, {
          within: 180_000,
          what: 'the settlement of the others',
        });
        expect(await paid(stuck)).toBe(0);
      } finally {
        await worker.stop();
        await shop.sql(`DELETE FROM payments WHERE status = 'unknown'`);
      }
    },
    300_000,
  );
});

describe('One run of the reconciliation', () => {
  beforeAll(() => open());
  afterAll(() => shop?.close());

  it('settles an interrupted payment of nothing as paid without the provider', async () => {
    const gift = await newProduct(shop, { amount: 0, stock: 1 });
    const order = await newOrder(ada, gift);
    const paymentId = newId();
    await shop.sql('UPDATE orders SET payment_id = $2 WHERE id = $1', [order.id, paymentId]);
    await shop.sql(
      `INSERT INTO payments
         (id, order_id, user_id, status, amount, currency, payment_method, charging_until, next_check_at)
       VALUES ($1, $2, $3, 'pending', 0, 'EUR', 'pm_card_ok', now() - interval '1 hour', now() - interval '1 second')`,
      [paymentId, order.id, ada.userId],
    );

    await shop.app.get(PaymentReconciliation, { strict: false }).reconcile();
    expect(await paid([order.id])).toBe(1);
  });

  it('continues when one payment cannot be settled because of a bug', async () => {
    const [broken, other] = [await unsettled('pm_card_ok'), await unsettled('pm_card_ok')];
    await shop.sql('UPDATE orders SET payment_id = NULL WHERE id = $1', [broken]);
    await shop.app.get(PaymentReconciliation, { strict: false }).reconcile();

    expect([await paid([broken]), await paid([other])]).toEqual([0, 1]);
  });

  it('settles payments that a restore of the database has forgotten, by the statements of docs/operations', async () => {
    const restored = (await newOrder(ada, chair)).id;
    const paidAgain = (await newOrder(ada, chair)).id;
    const [forgotten, orderIsGone, second] = [newId(), newId(), newId()];
    await charge(forgotten, { reference: restored });
    await charge(orderIsGone, { reference: newId() });
    await ada.http.post(`/v1/orders/${paidAgain}/payments`, { paymentMethod: 'pm_card_ok' }, withKey());

    const [create, enter, left] = statementsOf('Payments that only the provider knows');
    await shop.sql(create!);
    await shop.sql(
      `INSERT INTO restored_charges VALUES
         ($1, $2, 'pm_card_ok'), ($3, gen_random_uuid(), 'pm_card_ok'), ($4, $5, 'pm_card_ok')`,
      [forgotten, restored, orderIsGone, second, paidAgain],
    );
    await shop.sql(enter!);
    const reconciliation = shop.app.get(PaymentReconciliation, { strict: false });
    // The time of the next check is rounded to a millisecond, which may not have come yet.
    await waitFor(
      async () => {
        await reconciliation.reconcile();
        return (await paid([restored])) === 1;
      },
      { what: 'the payment' },
    );

    const refunds = (await shop.sql<{ payment_id: string }>(left!)).map((row) => row.payment_id);
    expect(refunds.toSorted()).toEqual([orderIsGone, second].toSorted());
    const { timesCharged } = await shop.sandbox.summary();
    expect(timesCharged[forgotten]).toBe(1);
  });
});

/** The SQL below a heading of the page about restores. */
function statementsOf(heading: string): string[] {
  const page = readFileSync(`${import.meta.dirname}/../../docs/operations/backup-restore.md`, 'utf8');
  const [, section = ''] = page.split(`## ${heading}\n`);
  return [...section.matchAll(/^```sql\n(.*?)^```/gms)].map(([, sql = '']) => sql);
}

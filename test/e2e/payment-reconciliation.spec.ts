import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OrderDto } from '../../src/modules/orders/dto/order.dto.js';
import { PaymentReconciliation } from '../../src/modules/payments/payment-reconciliation.js';
import { newId } from '../../src/platform/database/index.js';
import { waitFor } from '../../local/wait-for.ts';
import { startBackground, type Background } from './background.ts';
import { openShop, withKey, type Customer, type Shop } from './shop.ts';

let shop: Shop;
let ada: Customer;
let chair: string;

async function open(env: Record<string, string> = {}): Promise<void> {
  shop = await openShop(env);
  ada = await shop.newCustomer();
  chair = await shop.newProduct({ amount: 1990, stock: 10_000 });
  await shop.sandbox.setWebhooks(false);
}

/** An order that the provider has charged (or not decided upon) without our having heard of it, due to be looked at. */
async function unsettled(paymentMethod: string): Promise<string> {
  const items = [{ productId: chair, quantity: 1 }];
  const { body: order } = await ada.http.post<OrderDto>('/v1/orders', { items }, withKey());
  const paymentId = newId();
  await fetch(`${shop.sandbox.url}/v1/charges`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'Idempotency-Key': paymentId,
      Authorization: `Bearer ${shop.settings.payments.apiKey}`,
    },
    body: JSON.stringify({ amount: 1990, currency: 'EUR', paymentMethod, reference: order.id }),
  }).catch(() => undefined);
  await shop.sql('UPDATE orders SET payment_id = $2 WHERE id = $1', [order.id, paymentId]);
  await shop.sql(
    `INSERT INTO payments
       (id, order_id, user_id, status, amount, currency, payment_method, charging_until, next_check_at)
     VALUES ($1, $2, $3, 'unknown', 1990, 'EUR', $4, now(), now() - interval '1 second')`,
    [paymentId, order.id, ada.userId, paymentMethod],
  );
  return order.id;
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
    const gift = await shop.newProduct({ amount: 0, stock: 1 });
    const items = [{ productId: gift, quantity: 1 }];
    const { body: order } = await ada.http.post<OrderDto>('/v1/orders', { items }, withKey());
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
});

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { OrderDto } from '../../src/modules/orders/dto/order.dto.js';
import type { PaymentDto } from '../../src/modules/payments/dto/payment.dto.js';
import { PaymentProviderClient } from '../../src/modules/payments/payment-provider.client.js';
import { PaymentReconciliation } from '../../src/modules/payments/payment-reconciliation.js';
import { newId } from '../../src/platform/database/index.js';
import { NotAttemptedError } from '../../src/platform/errors/index.js';
import type { ProblemDocument } from '../../src/platform/http/index.js';
import { httpClient, type HttpClient } from '../../local/http.ts';
import { waitFor } from '../../local/wait-for.ts';
import { openShop, type Shop } from './shop.ts';
import { newProduct } from '../factories/products.ts';
import { newAdmin, newUser, type TestUser } from '../factories/users.ts';
import { withKey } from '../factories/keys.ts';
import { newOrder } from '../factories/orders.ts';
import { served } from '../support/served.ts';

/** A payment, or the problem there is instead. */
interface PaymentAnswer extends Omit<PaymentDto, 'status'> {
  status: string | number;
  code?: string;
  payment?: PaymentDto;
}

/** How long a payment waits for a provider that does not answer. */
const PROVIDER_TIMEOUT_MS = 5000;

let shop: Shop;
let ada: TestUser;
let chair: string;
let provider: PaymentProviderClient;
let reconciliation: PaymentReconciliation;

beforeAll(async () => {
  shop = await openShop({ PAYMENT_PROVIDER_TIMEOUT_MS: String(PROVIDER_TIMEOUT_MS) });
  provider = shop.app.get(PaymentProviderClient, { strict: false });
  reconciliation = shop.app.get(PaymentReconciliation, { strict: false });
  ada = await newUser(shop);
  chair = await newProduct(shop, { amount: 1990, stock: 10_000 });
});

afterAll(() => shop?.close());

beforeEach(async () => {
  vi.restoreAllMocks();
  await shop.sandbox.setMood(null);
  await shop.sandbox.setWebhooks(false);
  // Failures of the test before must not open the circuit in this one: as many successes as the breaker looks back.
  await waitFor(() => Promise.all(Array.from({ length: 10 }, () => provider.find(newId()))), {});
});

const pay = (order: { id: string }, paymentMethod: string, key?: string, http = ada.http) =>
  http.post<PaymentAnswer>(`/v1/orders/${order.id}/payments`, { paymentMethod }, withKey(key));

const orderStatus = async ({ id }: OrderDto) =>
  (await ada.http.get<OrderDto>(`/v1/orders/${id}`)).body.status;
const paymentOf = async ({ id }: OrderDto) =>
  shop.sql<{ id: string; status: string; settled_by: string | null; decline_code: string | null }>(
    'SELECT id, status, settled_by, decline_code FROM payments WHERE order_id = $1 ORDER BY id',
    [id],
  );
const paymentEvents = async ({ id }: OrderDto) =>
  (
    await shop.sql<{ name: string }>(
      `SELECT name FROM outbox_events WHERE key = $1 AND name LIKE 'payment.%' ORDER BY position`,
      [id],
    )
  ).map(({ name }) => name);
const timesCharged = async ({ id }: OrderDto) => {
  const { charges, timesCharged: times } = await shop.sandbox.summary();
  return charges.filter(({ reference }) => reference === id).map((charge) => times[charge.idempotencyKey]);
};

/** Makes the unsettled payments of an order due for the reconciliation, and their last request long over, or not. */
const letTimePass = async ({ id }: OrderDto, { charging = false } = {}) => {
  await shop.sql(
    `UPDATE payments SET next_check_at = now() - interval '1 second',
       charging_until = now() + CASE WHEN $2 THEN 1 ELSE -1 END * interval '1 hour' WHERE order_id = $1`,
    [id, charging],
  );
};

describe('Paying an order', () => {
  it('answers 201 when the provider has charged, marks the order paid and announces it', async () => {
    const order = await newOrder(ada, chair);
    const answer = await pay(order, 'pm_card_ok');

    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      orderId: order.id,
      status: 'succeeded',
      amount: order.total,
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    });
    expect(await orderStatus(order)).toBe('paid');
    expect(await paymentEvents(order)).toEqual(['payment.succeeded']);
    expect(await timesCharged(order)).toEqual([1]);
    const { charges } = await shop.sandbox.summary();
    expect(charges.find(({ idempotencyKey }) => idempotencyKey === answer.body.id)).toMatchObject({
      amount: 1990,
      currency: 'EUR',
      reference: order.id,
    });
  });

  it('creates a payment that its owner and admins can read', async () => {
    const order = await newOrder(ada, chair);
    const answer = await pay(order, 'pm_card_ok');
    const path = answer.headers.get('location') ?? '';
    expect(path).toBe(`/v1/orders/${order.id}/payments/${answer.body.id}`);

    expect((await ada.http.get(path)).body).toEqual(answer.body);
    expect((await (await newAdmin(shop)).http.get(path)).body).toEqual(answer.body);
    expect((await (await newUser(shop)).http.get(path)).status).toBe(404);
    expect((await ada.http.get(`/v1/orders/${randomUUID()}/payments/${answer.body.id}`)).status).toBe(404);
    expect((await ada.http.get(`/v1/orders/${order.id}/payments/${randomUUID()}`)).status).toBe(404);
  });

  it('answers 402 when the provider declines, and allows another payment', async () => {
    const order = await newOrder(ada, chair);
    const answer = await pay(order, 'pm_card_declined');

    expect(answer.status).toBe(402);
    expect(answer.body).toMatchObject({
      code: 'payment-declined',
      declineCode: 'card_declined',
      payment: { orderId: order.id, status: 'declined', amount: order.total },
    });
    expect(await orderStatus(order)).toBe('pending');
    expect(await paymentEvents(order)).toEqual(['payment.declined']);

    expect((await pay(order, 'pm_card_ok')).status).toBe(201);
    expect(await orderStatus(order)).toBe('paid');
    expect(await paymentEvents(order)).toEqual(['payment.declined', 'payment.succeeded']);
  });

  it('waits for a provider that is slow', async () => {
    const order = await newOrder(ada, chair);
    expect((await pay(order, 'pm_card_slow')).status).toBe(201);
    expect(await orderStatus(order)).toBe('paid');
  });

  it('does not call the provider when there is nothing to charge', async () => {
    const order = await newOrder(ada, await newProduct(shop, { amount: 0 }));
    expect((await pay(order, 'pm_card_ok')).status).toBe(201);

    expect(await orderStatus(order)).toBe('paid');
    expect(await timesCharged(order)).toEqual([]);
  });
});

describe('A payment with unknown outcome', () => {
  it.each(['pm_card_error', 'pm_card_hang'])(
    'is 202 for %s, holds the order, and is declined once it is certain that nothing was charged',
    async (method) => {
      const order = await newOrder(ada, chair);
      const answer = await pay(order, method);
      expect(answer.status).toBe(202);
      expect(answer.durationMs).toBeLessThan(PROVIDER_TIMEOUT_MS + 15_000);
      expect(answer.body).toMatchObject({ orderId: order.id, status: 'unknown' });
      expect(await paymentEvents(order)).toEqual([]);

      const other = await pay(order, 'pm_card_ok');
      expect([other.status, other.body.code]).toEqual([409, 'payment-in-progress']);
      const cancel = await ada.http.post<ProblemDocument>(`/v1/orders/${order.id}/cancel`);
      expect([cancel.status, cancel.body.code]).toEqual([409, 'order-not-cancellable']);

      // A request could still charge it.
      await letTimePass(order, { charging: true });
      await reconciliation.reconcile();
      expect(await paymentOf(order)).toMatchObject([{ status: 'unknown' }]);

      await letTimePass(order);
      await reconciliation.reconcile();
      expect(await paymentOf(order)).toMatchObject([{ status: 'declined', decline_code: 'never-charged' }]);
      expect(await paymentEvents(order)).toEqual(['payment.declined']);
      expect((await ada.http.get<PaymentDto>(answer.headers.get('location') ?? '')).body.status).toBe(
        'declined',
      );
      expect((await pay(order, 'pm_card_ok')).status).toBe(201);
    },
  );

  it('is settled by asking the provider, when it has charged and its answer was lost', async () => {
    const order = await newOrder(ada, chair);
    const answer = await pay(order, 'pm_card_charged_then_dropped', 'dropped');
    expect([answer.status, answer.body.status]).toEqual([202, 'unknown']);

    await letTimePass(order, { charging: true });
    await Promise.all([reconciliation.reconcile(), reconciliation.reconcile()]);
    expect(await paymentOf(order)).toMatchObject([{ status: 'succeeded', settled_by: 'reconciliation' }]);
    expect(await orderStatus(order)).toBe('paid');
    expect(await paymentEvents(order)).toEqual(['payment.succeeded']);
    expect(await timesCharged(order)).toEqual([1]);

    const replay = await pay(order, 'pm_card_charged_then_dropped', 'dropped');
    expect([replay.status, replay.text, replay.headers.get('idempotency-replayed')]).toEqual([
      202,
      answer.text,
      'true',
    ]);
    expect((await ada.http.get<PaymentDto>(replay.headers.get('location') ?? '')).body.status).toBe(
      'succeeded',
    );
  });

  it('is settled by the provider’s webhook', async () => {
    await shop.sandbox.setWebhooks(true);
    const order = await newOrder(ada, chair);
    // The webhook may be faster than the end of the connection.
    expect([201, 202]).toContain((await pay(order, 'pm_card_charged_then_dropped')).status);

    await waitFor(async () => {
      if ((await orderStatus(order)) === 'paid') return true;
      const [payment, charged, webhooks] = await Promise.all([
        paymentOf(order),
        timesCharged(order),
        shop.sandbox.webhooks(),
      ]);
      throw new Error(JSON.stringify({ payment, charged, webhooks }));
    });
    expect(await paymentOf(order)).toMatchObject([
      { status: 'succeeded', settled_by: expect.stringMatching(/^webhook evt_/) as string },
    ]);
    expect(await paymentEvents(order)).toEqual(['payment.succeeded']);
  });

  it('stays unknown while the provider is down, and is settled afterwards', async () => {
    const order = await newOrder(ada, chair);
    expect((await pay(order, 'pm_card_charged_then_dropped')).status).toBe(202);
    await shop.sandbox.setMood('error');
    await letTimePass(order);
    await reconciliation.reconcile();
    expect(await paymentOf(order)).toMatchObject([{ status: 'unknown' }]);

    await shop.sandbox.setMood(null);
    await waitFor(async () => {
      await letTimePass(order);
      await reconciliation.reconcile();
      return (await orderStatus(order)) === 'paid';
    });
  });

  it('is recorded even when the client disconnects', async () => {
    const order = await newOrder(ada, chair);
    const charge = vi.spyOn(provider, 'charge');
    const arrival = once(shop.app.getHttpServer(), 'request') as Promise<[IncomingMessage]>;
    const client = new AbortController();
    shop.sandbox.freeze();
    try {
      const answer = ada.http.post(
        `/v1/orders/${order.id}/payments`,
        { paymentMethod: 'pm_card_ok' },
        { ...withKey('gone'), signal: client.signal },
      );
      const [{ socket }] = await arrival;
      await waitFor(() => charge.mock.calls.length === 1, { what: 'the request to the provider' });
      client.abort();
      await expect(answer).rejects.toThrow('abort');
      await waitFor(() => socket.destroyed, { what: 'the end of the connection' });
    } finally {
      shop.sandbox.thaw();
    }

    const retry = await waitFor(async () => {
      const answer = await pay(order, 'pm_card_ok', 'gone');
      return answer.status !== 409 ? answer : undefined;
    });
    expect([retry.status, retry.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    expect(await orderStatus(order)).toBe('paid');
    expect(await timesCharged(order)).toEqual([1]);
  });
});

describe('An order is charged once', () => {
  it('by concurrent payments', async () => {
    const order = await newOrder(ada, chair);
    const answers = await Promise.all(Array.from({ length: 8 }, () => pay(order, 'pm_card_slow')));

    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const others = answers
      .filter(({ status }) => status !== 201)
      .map(({ status, body }) => `${status} ${body.code}`);
    // Those that come late find it paid.
    expect(
      others.filter((kind) => !['409 payment-in-progress', '409 order-not-payable'].includes(kind)),
    ).toEqual([]);
    expect(await timesCharged(order)).toEqual([1]);
  });

  it('and not when it is paid or cancelled already', async () => {
    const [paid, cancelled] = [await newOrder(ada, chair), await newOrder(ada, chair)];
    await pay(paid, 'pm_card_ok');
    await ada.http.post(`/v1/orders/${cancelled.id}/cancel`);

    for (const order of [paid, cancelled]) {
      const answer = await pay(order, 'pm_card_ok');
      expect([answer.status, answer.body.code]).toEqual([409, 'order-not-payable']);
    }
    expect(await timesCharged(paid)).toEqual([1]);
    expect(await timesCharged(cancelled)).toEqual([]);
  });

  it('by 1,000 concurrent duplicates of one payment on two instances', async () => {
    const order = await newOrder(ada, chair);
    const instances = [ada.http, httpClient(await shop.anotherApi()).as(ada.accessToken)];
    const answers = await Promise.all(
      Array.from({ length: 1000 }, (_, n) =>
        served(() => pay(order, 'pm_card_slow', 'a-thousand', instances[n % 2] as HttpClient)),
      ),
    );

    const kinds = new Set(
      answers.map(
        ({ status, body, headers }) =>
          `${status} ${body.code ?? headers.get('idempotency-replayed') ?? 'first'}`,
      ),
    );
    expect(
      [...kinds].filter((kind) => !['201 first', '201 true', '409 idempotency-key-in-use'].includes(kind)),
    ).toEqual([]);
    expect(
      answers.filter(({ status, headers }) => status === 201 && !headers.get('idempotency-replayed')),
    ).toHaveLength(1);
    expect(await timesCharged(order)).toEqual([1]);
    expect(await paymentEvents(order)).toEqual(['payment.succeeded']);
  }, 180_000);

  it('when the process dies after the charge: a retry continues the same payment', async () => {
    const order = await newOrder(ada, chair);
    const charge = provider.charge.bind(provider);
    vi.spyOn(provider, 'charge').mockImplementationOnce(async (request) => {
      await charge(request);
      throw new Error('the process dies here');
    });
    expect((await pay(order, 'pm_card_ok', 'crash')).status).toBe(500);
    const [begun] = await paymentOf(order);
    expect(begun?.status).toBe('pending');
    expect((await pay(order, 'pm_card_ok', 'crash')).body.code).toBe('idempotency-key-in-use');

    await shop.sql(
      `UPDATE idempotency_records SET locked_until = now() - interval '1 second' WHERE key = 'crash'`,
    );
    const retry = await pay(order, 'pm_card_ok', 'crash');
    expect([retry.status, retry.body.id]).toEqual([201, begun?.id]);
    expect(await timesCharged(order)).toEqual([1]);
    expect(await paymentEvents(order)).toEqual(['payment.succeeded']);
  });

  it('when the process dies and the reconciliation is faster than the retry', async () => {
    const order = await newOrder(ada, chair);
    vi.spyOn(provider, 'charge').mockRejectedValueOnce(new Error('the process dies here'));
    await pay(order, 'pm_card_ok', 'crash-2');
    await letTimePass(order);
    await reconciliation.reconcile();
    await shop.sql(
      `UPDATE idempotency_records SET locked_until = now() - interval '1 second' WHERE key = 'crash-2'`,
    );

    const retry = await pay(order, 'pm_card_ok', 'crash-2');
    expect([retry.status, retry.body.code]).toEqual([402, 'payment-declined']);
    expect(await timesCharged(order)).toEqual([]);
  });
});

describe('A provider that is down', () => {
  it('causes 503 at once while its circuit is open, and leaves nothing behind', async () => {
    await shop.sandbox.setMood('error');
    // Each time another order: a payment that still reaches the provider is unsettled from then on.
    const { order, refused } = await waitFor(
      async () => {
        const tried = await newOrder(ada, chair);
        const answer = await pay(tried, 'pm_card_ok', `open ${tried.id}`);
        return answer.status === 503 && { order: tried, refused: answer };
      },
      { what: 'the open circuit' },
    );

    expect(refused.durationMs).toBeLessThan(PROVIDER_TIMEOUT_MS);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await paymentOf(order)).toEqual([]);
    await shop.sandbox.setMood(null);
    const retry = await waitFor(async () => {
      const answer = await pay(order, 'pm_card_ok', `open ${order.id}`);
      return answer.status === 201 ? answer : undefined;
    });
    expect(retry.headers.get('idempotency-replayed')).toBeNull();
    expect(await timesCharged(order)).toEqual([1]);
  });

  it('causes 503 when nothing listens at its address', async () => {
    const order = await newOrder(ada, chair);
    await shop.sandbox.kill();
    // A connection that was kept and is not yet known to be gone would make the outcome unknown.
    await waitFor(
      () =>
        provider.find(newId()).then(
          () => false,
          (error: unknown) => error instanceof NotAttemptedError,
        ),
      { what: 'a refused connection' },
    );
    const answer = await pay(order, 'pm_card_ok', 'down');
    await shop.sandbox.restart();
    await shop.sandbox.sendWebhooksTo(`${shop.url}/v1/webhooks/payments`);

    expect([answer.status, answer.body.code]).toEqual([503, 'payment-provider-unavailable']);
    expect(await paymentOf(order)).toEqual([]);
    const retry = await waitFor(async () => {
      const again = await pay(order, 'pm_card_ok', 'down');
      return again.status === 201 ? again : undefined;
    });
    expect(retry.body.status).toBe('succeeded');
  });
});

describe('Bad input to a payment', () => {
  it.each<[string, unknown, string]>([
    ['no body', undefined, ''],
    ['a missing method', {}, '/paymentMethod'],
    ['an empty method', { paymentMethod: '' }, '/paymentMethod'],
    ['a method with NUL', { paymentMethod: 'pm_card_ok\0' }, '/paymentMethod'],
    ['a method that is a number', { paymentMethod: 1 }, '/paymentMethod'],
    ['an amount from the caller', { paymentMethod: 'pm_card_ok', amount: 1 }, '/amount'],
    ['a method that the provider does not know', { paymentMethod: 'pm_cash' }, '/paymentMethod'],
  ])('%s is 422, says where, and leaves nothing behind', async (_, body, pointer) => {
    const order = await newOrder(ada, chair);
    const answer = await ada.http.post<ProblemDocument>(
      `/v1/orders/${order.id}/payments`,
      body,
      withKey('bad'),
    );
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toMatchObject([{ pointer }]);

    expect(await paymentOf(order)).toEqual([]);
    expect((await pay(order, 'pm_card_ok')).status).toBe(201);
    expect(await shop.sql(`SELECT 1 FROM idempotency_records WHERE key = 'bad'`)).toEqual([]);
  });

  it('is 404 for an order of another user, 422 for an invalid id, 400 without a key', async () => {
    const order = await newOrder(ada, chair);
    const bob = await newUser(shop);
    const admin = await newAdmin(shop);
    for (const stranger of [bob, admin]) {
      const answer = await pay(order, 'pm_card_ok', undefined, stranger.http);
      expect([answer.status, answer.body.code]).toEqual([404, 'order-not-found']);
    }
    expect((await pay({ id: randomUUID() }, 'pm_card_ok')).status).toBe(404);
    expect((await pay({ id: '1' }, 'pm_card_ok')).status).toBe(422);
    const keyless = await ada.http.post<ProblemDocument>(`/v1/orders/${order.id}/payments`, {
      paymentMethod: 'pm_card_ok',
    });
    expect([keyless.status, keyless.body.code]).toEqual([400, 'idempotency-key-missing']);
  });

  it('is 422 when a key is used for another order', async () => {
    const [one, other] = [await newOrder(ada, chair), await newOrder(ada, chair)];
    await pay(one, 'pm_card_ok', 'two-orders');
    const answer = await pay(other, 'pm_card_ok', 'two-orders');
    expect([answer.status, answer.body.code]).toEqual([422, 'idempotency-key-reused']);
  });
});

import { randomUUID } from 'node:crypto';
import { getToken } from '@willsoto/nestjs-prometheus';
import type { Counter } from 'prom-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OrderDto } from '../../src/modules/orders/dto/order.dto.js';
import type { PaymentDto } from '../../src/modules/payments/dto/payment.dto.js';
import { PaymentDisputes } from '../../src/modules/payments/payment-disputes.js';
import { PaymentReconciliation } from '../../src/modules/payments/payment-reconciliation.js';
import { DISPUTES } from '../../src/modules/payments/payment-settlement.service.js';
import { PaymentProviderClient } from '../../src/modules/payments/payment-provider.client.js';
import { newId } from '../../src/platform/database/index.js';
import type { ProblemDocument } from '../../src/platform/http/index.js';
import type { HttpClient, HttpResponse } from '../../local/http.ts';
import { signWebhook } from '../../local/payment-sandbox.ts';
import { waitFor } from '../../local/wait-for.ts';
import { openShop, type Shop } from './shop.ts';
import { newProduct } from '../factories/products.ts';
import { newUser, type TestUser } from '../factories/users.ts';
import { withKey } from '../factories/keys.ts';
import { newOrder } from '../factories/orders.ts';

let shop: Shop;
let ada: TestUser;
let chair: string;

beforeAll(async () => {
  shop = await openShop({ PAYMENT_WEBHOOK_TOLERANCE_SECONDS: '60' });
  ada = await newUser(shop);
  chair = await newProduct(shop, { amount: 1990, stock: 1000 });
});

afterAll(() => shop?.close());

beforeEach(async () => {
  await shop.sandbox.setMood(null);
  await shop.sandbox.setWebhooks(false);
  const provider = shop.app.get(PaymentProviderClient, { strict: false });
  await waitFor(() => Promise.all(Array.from({ length: 10 }, () => provider.find(newId()))), {});
});

interface Unsettled {
  order: OrderDto;
  payment: PaymentDto;
}

/** An order whose payment the provider has never answered. */
async function unsettled(): Promise<Unsettled> {
  const order = await newOrder(ada, chair);
  const path = `/v1/orders/${order.id}/payments`;
  const payment = await ada.http.post<PaymentDto>(path, { paymentMethod: 'pm_card_error' }, withKey());
  if (payment.status !== 202) throw new Error(`${payment.status} ${payment.text}`);
  return { order, payment: payment.body };
}

const chargeOf = ({ order, payment }: Unsettled, changes: object = {}) => ({
  id: 'ch_1',
  idempotencyKey: payment.id,
  status: 'succeeded',
  amount: 1990,
  currency: 'EUR',
  paymentMethod: 'pm_card_ok',
  reference: order.id,
  createdAt: new Date().toISOString(),
  ...changes,
});

interface Delivery {
  secret?: string;
  id?: string;
  /** Seconds from now. */
  at?: number;
  headers?: Record<string, string>;
  /** What is sent instead of what was signed. */
  body?: string;
}

function deliver(event: unknown, delivery: Delivery = {}): Promise<HttpResponse<ProblemDocument>> {
  const { secret = shop.webhookSecret, id = `evt_${randomUUID()}`, at = 0, headers = {} } = delivery;
  const body = JSON.stringify(event);
  const signed = signWebhook(secret, body, { id, timestamp: Math.floor(Date.now() / 1000) + at });
  return shop.http.post('/v1/webhooks/payments', delivery.body ?? body, {
    headers: { ...signed, ...headers },
  });
}

const eventAbout = (charge: object, type = 'charge.succeeded') => ({
  id: 'evt_1',
  type,
  createdAt: new Date().toISOString(),
  data: charge,
});

async function stateOf({
  order,
  payment,
}: Unsettled): Promise<{ order: string; payment: string; events: string[] }> {
  const [row] = await shop.sql<{ status: string }>('SELECT status FROM payments WHERE id = $1', [payment.id]);
  const events = await shop.sql<{ name: string }>(
    `SELECT name FROM outbox_events WHERE key = $1 AND name LIKE 'payment.%' ORDER BY position`,
    [order.id],
  );
  const { body } = await ada.http.get<OrderDto>(`/v1/orders/${order.id}`);
  return { order: body.status, payment: row?.status ?? 'gone', events: events.map(({ name }) => name) };
}

const UNSETTLED = { order: 'pending', payment: 'unknown', events: [] };
const PAID = { order: 'paid', payment: 'succeeded', events: ['payment.succeeded'] };
const DISPUTED = { order: 'pending', payment: 'disputed', events: [] };
const DECLINED = { order: 'pending', payment: 'declined', events: ['payment.declined'] };

describe('A webhook of the payment provider', () => {
  it('settles a payment as succeeded', async () => {
    const open = await unsettled();
    const answer = await deliver(eventAbout(chargeOf(open)));

    expect([answer.status, answer.text]).toEqual([204, '']);
    expect(await stateOf(open)).toEqual(PAID);
  });

  it('settles a payment as declined', async () => {
    const open = await unsettled();
    const charge = chargeOf(open, { status: 'declined', declineCode: 'card_declined' });

    expect((await deliver(eventAbout(charge, 'charge.declined'))).status).toBe(204);
    expect(await stateOf(open)).toEqual(DECLINED);
  });

  it('changes nothing when it is repeated, in sequence or concurrently, with the same id or another', async () => {
    const open = await unsettled();
    const event = eventAbout(chargeOf(open));
    const first = await Promise.all([1, 2, 3, 4].map(() => deliver(event, { id: 'evt_same' })));
    const later = [await deliver(event, { id: 'evt_same' }), await deliver(event)];

    expect([...first, ...later].map(({ status }) => status)).toEqual([204, 204, 204, 204, 204, 204]);
    expect(await stateOf(open)).toEqual(PAID);
  });

  it('changes nothing when it contradicts what was settled before', async () => {
    const open = await unsettled();
    await deliver(eventAbout(chargeOf(open)));
    const answer = await deliver(eventAbout(chargeOf(open, { status: 'declined' }), 'charge.declined'));

    expect(answer.status).toBe(204);
    expect(await stateOf(open)).toEqual(PAID);
  });

  it.each([{ amount: 1 }, { currency: 'USD' }, { currency: 'EURO' }])(
    'that reports another amount or currency (%o) makes the payment permanently disputed, and holds the order',
    async (changes) => {
      const open = await unsettled();
      const before = await disputesCounted();
      for (const charge of [chargeOf(open, changes), chargeOf(open), chargeOf(open, changes)])
        expect((await deliver(eventAbout(charge))).status).toBe(204);

      expect(await stateOf(open)).toEqual(DISPUTED);
      expect((await disputesCounted()) - before).toBe(1);
      await shop.sql(`UPDATE payments SET next_check_at = now() - interval '1 second' WHERE id = $1`, [
        open.payment.id,
      ]);
      await shop.app.get(PaymentReconciliation, { strict: false }).reconcile();
      expect(await stateOf(open)).toEqual(DISPUTED);
      const path = `/v1/orders/${open.order.id}/payments`;
      const again = await ada.http.post<ProblemDocument>(path, { paymentMethod: 'pm_card_ok' }, withKey());
      expect([again.status, again.body.code]).toEqual([409, 'payment-in-progress']);
      expect((await ada.http.get<PaymentDto>(`${path}/${open.payment.id}`)).body.status).toBe('disputed');
    },
  );

  it('that reports no charge is accepted with any amount', async () => {
    const open = await unsettled();
    await deliver(eventAbout(chargeOf(open, { status: 'declined', amount: 1 }), 'charge.declined'));

    expect(await stateOf(open)).toEqual(DECLINED);
  });

  it.each([
    ['accepted', PAID],
    ['refunded', DECLINED],
  ] as const)('for a disputed payment waits for an operator: %s', async (verdict, outcome) => {
    const open = await unsettled();
    await deliver(eventAbout(chargeOf(open, { amount: 1 })));
    const disputes = shop.app.get(PaymentDisputes, { strict: false });

    expect(await disputes.list(100)).toContainEqual({
      paymentId: open.payment.id,
      orderId: open.order.id,
      chargeId: 'ch_1',
      due: '1990 EUR',
      charged: '1 EUR',
      since: expect.any(Date) as Date,
    });
    expect(await disputes.decide(open.payment.id, verdict)).toBe(true);
    expect(await disputes.decide(open.payment.id, verdict)).toBe(false);
    expect(await stateOf(open)).toEqual(outcome);
    const before = await disputesCounted();
    await deliver(eventAbout(chargeOf(open, { amount: 1 })));
    expect(await disputesCounted(), 'what was decided upon and is delivered again').toBe(before);
  });

  it.each([
    ['declined', DECLINED],
    ['succeeded', PAID],
  ] as const)(
    'that reports another amount when the payment has %s changes nothing, but is counted',
    async (status, outcome) => {
      const open = await unsettled();
      await deliver(eventAbout(chargeOf(open, { status }), `charge.${status}`));
      const before = await disputesCounted();

      expect((await deliver(eventAbout(chargeOf(open, { id: 'ch_2', amount: 1 })))).status).toBe(204);
      expect(await stateOf(open)).toEqual(outcome);
      expect((await disputesCounted()) - before).toBe(1);
    },
  );

  it.each([
    ['an unknown payment', () => eventAbout({ ...chargeOf(unknownPayment()), idempotencyKey: newId() })],
    ['another kind of event', () => ({ type: 'payout.paid', data: { id: 'po_1' } })],
  ])('is accepted when it is about %s, so that the provider does not send it again', async (_, event) => {
    expect((await deliver(event())).status).toBe(204);
  });

  it('is 422 when it is signed but holds no charge', async () => {
    const answer = await deliver(eventAbout({ id: 'ch_1' }));
    expect([answer.status, answer.body.errors]).toMatchObject([422, [{ pointer: '/data' }]]);
  });
});

describe('A webhook that is not from the provider, or too old', () => {
  it.each<[string, Delivery]>([
    ['signed with another secret', { secret: 'not-the-secret' }],
    ['older than the tolerance', { at: -600 }],
    ['from the future', { at: 600 }],
    ['without a signature', { headers: { 'webhook-signature': '' } }],
    ['with a malformed signature', { headers: { 'webhook-signature': 'v1,AAAA' } }],
    ['with another id than was signed', { headers: { 'webhook-id': 'evt_other' } }],
    [
      'with another time than was signed',
      { headers: { 'webhook-timestamp': String(Math.floor(Date.now() / 1000) + 60) } },
    ],
    ['with a malformed time', { headers: { 'webhook-timestamp': 'yesterday' } }],
  ])('is 401 and changes nothing when it is %s', async (_, delivery) => {
    const open = await unsettled();
    const answer = await deliver(eventAbout(chargeOf(open)), delivery);

    expect([answer.status, answer.body.code]).toEqual([401, 'invalid-signature']);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(await stateOf(open)).toEqual(UNSETTLED);
  });

  it('is 401 when its body was changed by a single space', async () => {
    const open = await unsettled();
    const event = eventAbout(chargeOf(open));
    const answer = await deliver(event, { body: `${JSON.stringify(event)} ` });

    expect(answer.status).toBe(401);
    expect(await stateOf(open)).toEqual(UNSETTLED);
  });

  it.each([
    ['nothing', undefined, 401],
    ['an empty body', '', 401],
    ['malformed JSON', '{"type"', 400],
    ['null', 'null', 401],
  ])('is rejected when it is %s without headers', async (_, body, status) => {
    const answer = await shop.http.post<ProblemDocument>('/v1/webhooks/payments', body);
    expect(answer.status).toBe(status);
    expect(answer.body.status).toBe(status);
  });
});

async function disputesCounted(): Promise<number> {
  const { values } = await shop.app.get<Counter>(getToken(DISPUTES), { strict: false }).get();
  return values.find(({ labels }) => labels.reason === 'amount')?.value ?? 0;
}

function unknownPayment(): Unsettled {
  return { order: { id: newId() }, payment: { id: newId() } } as Unsettled;
}

describe('The rate limit', () => {
  const LIMIT = 40;
  let limited: Shop;
  let http: HttpClient;

  beforeAll(async () => {
    limited = await openShop({
      RATE_LIMIT_ENABLED: 'true',
      RATE_LIMIT_REQUESTS: String(LIMIT),
      TRUST_PROXY: '127.0.0.1',
    });
    http = limited.http;
  });
  afterAll(() => limited?.close());

  async function send(count: number, request: () => Promise<HttpResponse>): Promise<Record<number, number>> {
    const byStatus: Record<number, number> = {};
    for (let i = 0; i < count; i += 1) {
      const { status } = await request();
      byStatus[status] = (byStatus[status] ?? 0) + 1;
    }
    return byStatus;
  }

  it('applies only to webhooks with a wrong signature, because all come from few addresses', async () => {
    const deliver = (secret: string, client = '203.0.113.1') => {
      const body = JSON.stringify({ type: 'customer.created', data: {} });
      const id = `evt_${crypto.randomUUID()}`;
      const headers = signWebhook(secret, body, { id, timestamp: Math.floor(Date.now() / 1000) });
      return http.with({ 'x-forwarded-for': client }).post('/v1/webhooks/payments', body, { headers });
    };
    expect(await send(LIMIT + 5, () => deliver(crypto.randomUUID()))).toEqual({ 401: LIMIT, 429: 5 });
    expect(await send(LIMIT + 5, () => deliver(limited.webhookSecret))).toEqual({ 204: LIMIT + 5 });
    expect((await deliver(crypto.randomUUID(), '203.0.113.250')).status).toBe(401);
  });
});

import assert from 'node:assert/strict';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { signWebhook } from '../../../local/payment-sandbox.js';
import { startProduct, type ProductUnderTest } from '../product-under-test.js';
import { contentOf, placesOf, problemIn, type ProblemBody } from './refusals.js';
import { describeWrongValues, type WrongValues } from './wrong-values.js';
import { newAdmin, newUser } from '../../factories/users.js';

/** What the routes of the example features refuse; what every route refuses is in bodies.spec.ts. */

const NOBODY = '019aa000-0000-7000-8000-000000000000';

let product: ProductUnderTest;
let customer: string;
let stranger: string;
let admin: string;
let productId: string;
let productTag: string;
let orderId: string;
let before: Record<string, string>;

async function send(
  method: string,
  path: string,
  body: string | Uint8Array<ArrayBuffer> | undefined,
  headers: Record<string, string> = {},
) {
  const response = await fetch(product.url + path, { method, headers, body });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const as = (token: string) => ({ authorization: `Bearer ${token}` });
const JSON_TYPE = { 'content-type': 'application/json' };
const KEY = { 'idempotency-key': 'bad-input' };

async function refusalOf(status: number, ...request: Parameters<typeof send>): Promise<ProblemBody> {
  const problem = problemIn(await send(...request));
  expect([problem.status, problem.instance]).toEqual([status, request[1].split('?')[0]]);
  return problem;
}

/** The routes that take a body, each with something it accepts: one member of it is made wrong at a time. */
const routes = {
  createProduct: () => ({
    method: 'POST',
    path: '/v1/products',
    body: { name: 'Lamp', description: 'Bright', price: { amount: 1, currency: 'EUR' }, stock: 1 },
    headers: as(admin),
  }),
  changeProduct: () => ({
    method: 'PATCH',
    path: `/v1/products/${productId}`,
    body: { stock: 7 },
    headers: { ...as(admin), 'if-match': productTag },
  }),
  placeOrder: () => ({
    method: 'POST',
    path: '/v1/orders',
    body: { items: [{ productId, quantity: 1 }] },
    headers: { ...as(customer), ...KEY },
  }),
  payOrder: () => ({
    method: 'POST',
    path: `/v1/orders/${orderId}/payments`,
    body: { paymentMethod: 'pm_card_ok' },
    headers: { ...as(customer), ...KEY },
  }),
  createExport: () => ({
    method: 'POST',
    path: '/v1/exports',
    body: { type: 'orders' },
    headers: as(customer),
  }),
};
type Route = keyof typeof routes;

/** Sends text that a route refuses. */
function raw(route: Route, text: string): Promise<ProblemBody> {
  const { method, path, headers } = routes[route]();
  return refusalOf(422, method, path, text, { ...headers, ...JSON_TYPE });
}

beforeAll(async () => {
  product = await startProduct();
  const [ada, eve, root] = await Promise.all([newUser(product), newUser(product), newAdmin(product)]);
  [customer, stranger, admin] = [ada.accessToken, eve.accessToken, root.accessToken];
  const made = await root.http.post<{ id: string }>('/v1/products', {
    name: 'Oak Chair',
    price: { amount: 4900, currency: 'EUR' },
    stock: 100,
  });
  productId = made.body.id;
  productTag = made.headers.get('etag') ?? '';
  const order = await ada.http.post<{ id: string }>(
    '/v1/orders',
    { items: [{ productId, quantity: 1 }] },
    { headers: { 'idempotency-key': 'an-order' } },
  );
  orderId = order.body.id;
});

afterAll(() => product?.stop());

/** Whatever a test of this file sends: not a row is written, changed or gone. */
beforeEach(async () => {
  before = await contentOf(product.database);
});
afterEach(async () => {
  assert.deepEqual(await contentOf(product.database), before);
});

const wrong: WrongValues<Route> = [
  ['createProduct', '/name', [undefined, null, 1, '', 'x'.repeat(201), 'a\u0000b', 'a\nb']],
  ['createProduct', '/description', [null, 1, {}, 'x'.repeat(5001), 'a\u0000b']],
  ['createProduct', '/stock', [undefined, null, '1', -1, 1.5, 2 ** 53, true, []]],
  ['createProduct', '/price', [undefined, null, 4900, '4900', []]],
  ['createProduct', '/price/amount', [undefined, null, '1', -1, 1.5, 2 ** 53, 1e300]],
  ['createProduct', '/price/currency', [undefined, null, 978, '', 'eur', 'EURO', 'E R', 'EU\u0000']],
  ['changeProduct', '/stock', [null, '1', -1, 1.5, 2 ** 53]],
  ['changeProduct', '/price', [null, 1, []]],
  ['placeOrder', '/items', [undefined, null, {}, 'x', []]],
  ['placeOrder', '/items', [Array.from({ length: 51 }, () => ({ productId: NOBODY, quantity: 1 }))]],
  ['placeOrder', '/items/0/quantity', [undefined, null, 0, -1, 1.5, 2 ** 53, '1', true, [1], {}, 1001]],
  [
    'placeOrder',
    '/items/0/productId',
    [undefined, null, 1, '', 'x', `${NOBODY}0`, `{${NOBODY}}`, "' OR 1=1 --", `${NOBODY}\u0000`, [NOBODY]],
  ],
  [
    'payOrder',
    '/paymentMethod',
    [undefined, null, 1, '', 'a b', 'x'.repeat(101), 'pm\u0000', '../charges', ['pm_card_ok']],
  ],
  ['createExport', '/type', [undefined, null, 1, 'users', 'Orders', 'toString', ['orders']]],
  [
    'createExport',
    '/from',
    [
      null,
      1,
      '',
      'yesterday',
      '2026-11-20',
      '2026-02-30T00:00:00Z',
      '2026-11-20T25:00:00Z',
      '2026-11-20T12:00:00',
      '+12026-01-01T00:00:00Z',
    ],
  ],
  [
    'createExport',
    '/from',
    ['0000-01-01T00:00:00Z', '2026-11-20T12:00:00+99:99', '2026-11-20T12:00:00Z\u0000'],
  ],
  ['createExport', '/to', [null, 20261120, 'now', '2026-13-01T00:00:00Z']],
];

describeWrongValues(
  wrong,
  (route) => routes[route]().body,
  (route, text) => raw(route, text),
);

describe('an order of something unknown', () => {
  it('is 422 for an unknown product', async () => {
    const body = JSON.stringify({ items: [{ productId: NOBODY, quantity: 1 }] });

    expect((await raw('placeOrder', body)).code).toBe('unknown-product');
  });

  it('is 404 for a payment of an unknown or foreign order', async () => {
    const body = JSON.stringify({ paymentMethod: 'pm_card_ok' });
    await refusalOf(404, 'POST', `/v1/orders/${NOBODY}/payments`, body, {
      ...as(customer),
      ...KEY,
      ...JSON_TYPE,
    });
    await refusalOf(404, 'POST', `/v1/orders/${orderId}/payments`, body, {
      ...as(stranger),
      ...KEY,
      ...JSON_TYPE,
    });
  });
});

describe('a method that a path does not allow', () => {
  it('is 405 with the allowed methods', async () => {
    const { status, headers } = await send('PATCH', `/v1/addresses/${NOBODY}`, undefined, as(customer));

    expect([status, headers.get('allow')]).toEqual([405, 'DELETE, GET, HEAD, PUT']);
  });
});

describe('a webhook', () => {
  const path = '/v1/webhooks/payments';
  const signed = (body: string) =>
    signWebhook(product.settings.payments.webhookSecret, body, { id: 'evt_bad' });

  it('without a signature, or with a wrong one, is 401', async () => {
    const body = '{"type":"charge.succeeded","data":{}}';
    const good = signed(body);
    for (const headers of [
      JSON_TYPE,
      { ...good, 'webhook-signature': 'v1,' },
      { ...good, 'webhook-signature': 'v2,AAAA' },
      { ...good, 'webhook-timestamp': '' },
      { ...good, 'webhook-timestamp': '1e99' },
      { ...good, 'webhook-timestamp': '-1' },
      { ...good, 'webhook-id': 'evt_other' },
      signWebhook(product.settings.payments.webhookSecret, body, { id: 'evt_bad', timestamp: 1 }),
    ]) {
      await refusalOf(401, 'POST', path, body, headers);
    }
  });

  it.each([
    '',
    '{"type":"charge.succeeded"}',
    '{"type":"charge.succeeded","data":{"id":"ch_1","amount":"1"}}',
    '[]',
    '"x"',
    '{"type":"charge.declined","data":[]}',
  ])('that is signed but holds %s is rejected', async (body) => {
    const answer = await send('POST', path, body, signed(body));

    expect([204, 400, 422]).toContain(answer.status);
  });

  it('that is signed but holds half of a surrogate pair is 422', async () => {
    const body = `{"type":"charge.succeeded","data":{"id":"\\ud800"}}`;
    const headers = signWebhook(product.settings.payments.webhookSecret, body, { id: 'evt_half' });
    expect(placesOf(await refusalOf(422, 'POST', '/v1/webhooks/payments', body, headers))).toEqual([
      '/data/id',
    ]);
  });
});

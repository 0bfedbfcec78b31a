import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { UsersService } from '../../../src/modules/users/index.js';
import { signWebhook } from '../../../local/payment-sandbox.js';
import { startProduct, type ProductUnderTest } from '../product-under-test.js';
import { contentOf, placesOf, problemIn, type ProblemBody } from './refusals.js';

type Json = unknown;

const NOBODY = '019aa000-0000-7000-8000-000000000000';
const ACCOUNT = { email: 'ada@example.com', password: 'a password of some length', name: 'Ada Lovelace' };

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

async function tokenOf(email: string): Promise<string> {
  const { body } = await product.http.post<{ accessToken: string }>('/v1/auth/login', {
    email,
    password: ACCOUNT.password,
  });
  return body.accessToken;
}

/** The routes that take a body, each with something it accepts: one member of it is made wrong at a time. */
const routes = {
  register: () => ({
    method: 'POST',
    path: '/v1/auth/register',
    body: { ...ACCOUNT, email: 'new@example.com' },
    headers: {},
  }),
  login: () => ({
    method: 'POST',
    path: '/v1/auth/login',
    body: { email: ACCOUNT.email, password: ACCOUNT.password },
    headers: {},
  }),
  refresh: () => ({ method: 'POST', path: '/v1/auth/refresh', body: { refreshToken: 'x' }, headers: {} }),
  updateMe: () => ({ method: 'PATCH', path: '/v1/users/me', body: { name: 'Ada' }, headers: as(customer) }),
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
const everyRoute = Object.keys(routes) as Route[];

/** Sends raw text to a route. */
function raw(
  route: Route,
  text: string | Uint8Array<ArrayBuffer>,
  status: number,
  more: Record<string, string> = JSON_TYPE,
): Promise<ProblemBody> {
  const { method, path, headers } = routes[route]();
  return refusalOf(status, method, path, text, { ...headers, ...more });
}

beforeAll(async () => {
  product = await startProduct();
  for (const email of [ACCOUNT.email, 'eve@example.com', 'admin@example.com']) {
    await product.http.post('/v1/auth/register', { ...ACCOUNT, email });
  }
  await product.api.get(UsersService, { strict: false }).promote('admin@example.com');
  [customer, stranger, admin] = (await Promise.all(
    [ACCOUNT.email, 'eve@example.com', 'admin@example.com'].map(tokenOf),
  )) as [string, string, string];
  const made = await product.http.as(admin).post<{ id: string }>('/v1/products', {
    name: 'Oak Chair',
    price: { amount: 4900, currency: 'EUR' },
    stock: 100,
  });
  productId = made.body.id;
  productTag = made.headers.get('etag') ?? '';
  const order = await product.http
    .as(customer)
    .post<{ id: string }>(
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

describe('a body that is not JSON', () => {
  it.each([
    '{"email":',
    '{"email":"a",}',
    "{'email':'a'}",
    '{"a":NaN}',
    '{}{}',
    '\u0000',
    'a=b',
    '{"a":"\u0001"}',
    '<html>',
    '{"a":01}',
  ])('%j is 400', async (text) => {
    for (const route of everyRoute) expect((await raw(route, text, 400)).code).toBe('malformed-request');
  });

  it.each([
    '{"__proto__":{"role":"admin"}}',
    '{"name":"x","__proto__":null}',
    '{"constructor":{"prototype":{"role":"admin"}}}',
    '{"a":{"__proto__":1}}',
  ])('%s, which reaches for prototypes, is 400', async (text) => {
    for (const route of everyRoute) await raw(route, text, 400);
    expect(({} as { role?: string }).role).toBeUndefined();
  });

  it('is 400 when it is not UTF-8 or is compressed, and says nothing of the bytes', async () => {
    for (const route of everyRoute) {
      expect((await raw(route, new Uint8Array(gzipSync('{}')), 400)).detail).not.toContain('\\u');
    }
  });
});

describe('a body of another type', () => {
  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/vnd.api+json',
    'application/jsonp',
    'json',
    '*/*',
    '',
  ])('such as %j is 415', async (type) => {
    for (const route of everyRoute) {
      expect(
        (await raw(route, new TextEncoder().encode('{}'), 415, type === '' ? {} : { 'content-type': type }))
          .code,
      ).toBe('unsupported-media-type');
    }
  });
});

describe('a body that is too large', () => {
  it('is 413', async () => {
    const text = JSON.stringify({ name: 'x'.repeat(product.settings.http.bodyLimitBytes) });
    for (const route of everyRoute) expect((await raw(route, text, 413)).code).toBe('body-too-large');
  });

  it.each([100, 5000, 100_000])('in depth, with %i levels, is 4xx', async (depth) => {
    const texts = [
      `${'['.repeat(depth)}${']'.repeat(depth)}`,
      `${'{"name":'.repeat(depth / 10)}1${'}'.repeat(depth / 10)}`,
    ];
    for (const route of everyRoute) {
      const { method, path, headers } = routes[route]();
      for (const text of texts) {
        expect(problemIn(await send(method, path, text, { ...headers, ...JSON_TYPE })).status).toBeLessThan(
          500,
        );
      }
    }
  });

  it('in width, with thousands of members, is answered with a document of bounded size', async () => {
    const members = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`m${index}`, index]));
    for (const route of everyRoute)
      expect((await raw(route, JSON.stringify(members), 422)).errors?.length).toBeGreaterThan(0);
  });
});

describe('a body that is not an object', () => {
  it.each(['null', '[]', '[{}]', '"text"', '1', 'true', ''])(
    '%j is 422 for the whole of it',
    async (text) => {
      for (const route of everyRoute) expect(placesOf(await raw(route, text, 422))).toEqual(['']);
    },
  );
});

describe('a member that is not known', () => {
  it.each(everyRoute)('is 422 and named (%s)', async (route) => {
    const { body } = routes[route]();
    const problem = await raw(route, JSON.stringify({ ...body, role: 'admin', 'a/b~c': 1 }), 422);

    expect(problem.errors).toEqual([
      { pointer: '/role', code: 'unknown-field', message: 'role is not a known field' },
      { pointer: '/a~1b~0c', code: 'unknown-field', message: 'a/b~c is not a known field' },
    ]);
  });

  it.each(['toString', 'hasOwnProperty', 'then', '__defineGetter__', 'constructor', 'valueOf', ''])(
    'is 422 also when it is called %j',
    async (name) => {
      const { body } = routes.updateMe();

      expect(placesOf(await raw('updateMe', JSON.stringify({ ...body, [name]: 1 }), 422))).toEqual([
        `/${name}`,
      ]);
    },
  );
});

/** Route, what replaces which member, where the answer has to point. */
const wrong: [route: Route, pointer: string, values: Json[]][] = [
  [
    'register',
    '/email',
    [
      undefined,
      null,
      1,
      {},
      [],
      true,
      '',
      'ada',
      'ada@',
      '@example.com',
      'a b@example.com',
      'a\u0000b@example.com',
    ],
  ],
  [
    'register',
    '/email',
    [
      `${'a'.repeat(250)}@example.com`,
      `${'a'.repeat(65)}@example.com`,
      `a@${'b'.repeat(250)}.com`,
      `a@${'b.'.repeat(5000)}com`,
    ],
  ],
  ['register', '/password', [undefined, null, 12345678, [], 'short', 'x'.repeat(129), 'with a \u0000 in it']],
  [
    'register',
    '/name',
    [undefined, null, 1, {}, '', ' ', 'x'.repeat(101), 'a\u0000b', 'a\r\nBcc: all@example.com'],
  ],
  ['login', '/email', [undefined, null, 1, ['ada@example.com'], { $ne: null }, 'a\u0000@example.com']],
  ['login', '/password', [undefined, null, 1, [], { $gt: '' }, '', 'x'.repeat(129), 'x\u0000']],
  ['refresh', '/refreshToken', [undefined, null, 1, [], '', 'x'.repeat(257), 'x\u0000']],
  ['updateMe', '/name', [null, 1, [], {}, '', '\u0000', 'x'.repeat(101)]],
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

describe('a member with a value that it cannot have', () => {
  const cases = wrong.flatMap(([route, pointer, values]) =>
    values.map((value) => ({ route, pointer, value, shown: JSON.stringify(value)?.slice(0, 60) })),
  );

  it.each(cases)('$route $pointer = $shown is 422 there', async ({ route, pointer, value }) => {
    const body = structuredClone(routes[route]().body) as Json;
    replace(body, pointer, value);

    const problem = await raw(route, JSON.stringify(body), 422);
    expect(problem.code).toBe('validation-failed');
    expect(
      placesOf(problem).filter((place) => place !== pointer && !place.startsWith(`${pointer}/`)),
    ).toEqual([]);
    expect(placesOf(problem)).not.toEqual([]);
  });

  it('is told for every member at once', async () => {
    const problem = await raw('register', '{"email":1,"password":"x","nick":"a"}', 422);

    expect(placesOf(problem).toSorted()).toEqual(['/email', '/name', '/nick', '/password']);
  });

  it.each(['1e400', '-1e400', '9007199254740993', '1E2147483648'])(
    'is 422 for the number %s',
    async (number) => {
      const text = `{"items":[{"productId":"${productId}","quantity":${number}}]}`;

      expect(placesOf(await raw('placeOrder', text, 422))).toEqual(['/items/0/quantity']);
    },
  );

  it('is 422 for elements of a list that are no objects', async () => {
    for (const items of ['[null]', '[1]', '["x"]', '[[]]', '[[[]]]']) {
      expect(placesOf(await raw('placeOrder', `{"items":${items}}`, 422))[0]).toMatch(/^\/items/);
    }
  });
});

describe('text that is no Unicode, half of a surrogate pair', () => {
  const half = String.raw`\ud800`;

  it.each(everyRoute)('is 422 wherever it stands (%s)', async (route) => {
    for (const [name, value] of Object.entries(routes[route]().body)) {
      const texts = [
        `{"${name}":"${half}@example.com"}`,
        `{"${name}":["${half}"]}`,
        `{"${name}":{"a":"${half}"}}`,
      ];
      for (const text of texts) {
        const [place] = placesOf(await raw(route, text, 422));
        expect(place?.split('/')[1], `${JSON.stringify(value)} ${text}`).toBe(name);
      }
    }
    expect(placesOf(await raw(route, `{"${half}":1}`, 422))).toEqual(['/\ufffd']);
  });

  it('is 422 in a webhook that is signed', async () => {
    const body = `{"type":"charge.succeeded","data":{"id":"${half}"}}`;
    const headers = signWebhook(product.settings.payments.webhookSecret, body, { id: 'evt_half' });
    expect(placesOf(await refusalOf(422, 'POST', '/v1/webhooks/payments', body, headers))).toEqual([
      '/data/id',
    ]);
  });
});

describe('an order of what there is not', () => {
  it('is 422 for an unknown product', async () => {
    const body = JSON.stringify({ items: [{ productId: NOBODY, quantity: 1 }] });

    expect((await raw('placeOrder', body, 422)).code).toBe('unknown-product');
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

describe('an Idempotency-Key', () => {
  const keyless = (route: Route) => {
    const { method, path, body, headers } = routes[route]();
    const { 'idempotency-key': _, ...others } = headers as Record<string, string>;
    return { method, path, body: JSON.stringify(body), headers: { ...others, ...JSON_TYPE } };
  };

  it.each<Route>(['placeOrder', 'payOrder'])('that is missing is 400 (%s)', async (route) => {
    const { method, path, body, headers } = keyless(route);

    expect((await refusalOf(400, method, path, body, headers)).detail).toContain('Idempotency-Key');
  });

  it.each(['', ' ', '""', 'x'.repeat(256), `"${'x'.repeat(256)}"`, 'k\u00e9y', '"open'])(
    'of the form %j is 400',
    async (key) => {
      for (const route of ['placeOrder', 'payOrder'] as const) {
        const { method, path, body, headers } = keyless(route);
        await refusalOf(400, method, path, body, { ...headers, 'idempotency-key': key });
      }
    },
  );

  it('with another payload is 422', async () => {
    const body = JSON.stringify({ items: [{ productId, quantity: 2 }] });
    const headers = { ...as(customer), ...JSON_TYPE, 'idempotency-key': 'an-order' };

    expect((await refusalOf(422, 'POST', '/v1/orders', body, headers)).code).toMatch(/^idempotency-key/);
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
  ])('that is signed but holds %s is not taken', async (body) => {
    const answer = await send('POST', path, body, signed(body));

    expect([204, 400, 422]).toContain(answer.status);
  });
});

function replace(body: unknown, pointer: string, value: unknown): void {
  const tokens = pointer.slice(1).split('/');
  const last = tokens.pop() ?? '';
  const parent = tokens.reduce<Record<string, unknown>>(
    (node, token) => node[token] as Record<string, unknown>,
    body as Record<string, unknown>,
  );
  parent[last] = value;
}

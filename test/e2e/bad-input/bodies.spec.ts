import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startLedger, type LedgerUnderTest } from '../../specimen/ledger-under-test.js';
import { contentOf, placesOf, problemIn, type ProblemBody } from './refusals.js';
import { describeWrongValues, type WrongValues } from './wrong-values.js';
import { newAccount } from '../../factories/accounts.js';
import { newUser, type TestUser } from '../../factories/users.js';

const NOBODY = '019aa000-0000-7000-8000-000000000000';
const ACCOUNT = { email: 'ada@example.com', password: 'a password of some length', name: 'Ada Lovelace' };

let ledger: LedgerUnderTest;
let ada: TestUser;
let eve: TestUser;
let from: string;
let to: string;
let before: Record<string, string>;

async function send(
  method: string,
  path: string,
  body: string | Uint8Array<ArrayBuffer> | undefined,
  headers: Record<string, string> = {},
) {
  const response = await fetch(ledger.url + path, { method, headers, body });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const as = ({ accessToken }: TestUser) => ({ authorization: `Bearer ${accessToken}` });
const JSON_TYPE = { 'content-type': 'application/json' };
const KEY = { 'idempotency-key': 'bad-input' };
const USED_KEY = { 'idempotency-key': 'used' };

async function refusalOf(status: number, ...request: Parameters<typeof send>): Promise<ProblemBody> {
  const problem = problemIn(await send(...request));
  expect([problem.status, problem.instance]).toEqual([status, request[1].split('?')[0]]);
  return problem;
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
  updateMe: () => ({ method: 'PATCH', path: '/v1/users/me', body: { name: 'Ada' }, headers: as(ada) }),
  openAccount: () => ({
    method: 'POST',
    path: '/v1/accounts',
    body: { name: 'Travel', note: 'Abroad', balance: { amount: 1, currency: 'EUR' } },
    headers: as(ada),
  }),
  changeAccount: () => ({
    method: 'PATCH',
    path: `/v1/accounts/${from}`,
    body: { name: 'Trips' },
    headers: { ...as(ada), 'if-match': '*' },
  }),
  transfer: () => ({
    method: 'POST',
    path: '/v1/transfers',
    body: { from, parts: [{ to, amount: 1 }] },
    headers: { ...as(ada), ...KEY },
  }),
  withdraw: () => ({
    method: 'POST',
    path: `/v1/accounts/${from}/withdrawals`,
    body: { amount: 1, method: 'pm_card_ok' },
    headers: { ...as(ada), ...KEY },
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
  ledger = await startLedger();
  [ada, eve] = await Promise.all([newUser(ledger), newUser(ledger)]);
  [from, to] = [await newAccount(ada), await newAccount(eve)];
  await ada.http.post('/v1/transfers', { from, parts: [{ to, amount: 1 }] }, { headers: USED_KEY });
});

afterAll(() => ledger?.stop());

/** Whatever a test of this file sends: not a row is written, changed or gone. */
beforeEach(async () => {
  before = await contentOf(ledger.database);
});
afterEach(async () => {
  assert.deepEqual(await contentOf(ledger.database), before);
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

  it('is 400 when it is not UTF-8 or is compressed, without echoing the bytes', async () => {
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
    const text = JSON.stringify({ name: 'x'.repeat(ledger.settings.http.bodyLimitBytes) });
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

describe('an unknown member', () => {
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

const wrong: WrongValues<Route> = [
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
  ['openAccount', '/name', [undefined, null, 1, '', 'x'.repeat(201), 'a\u0000b', 'a\nb']],
  ['openAccount', '/note', [null, 1, {}, 'x'.repeat(5001), 'a\u0000b']],
  ['openAccount', '/balance', [undefined, null, 4900, '4900', []]],
  ['openAccount', '/balance/amount', [undefined, null, '1', -1, 1.5, 2 ** 53, 1e300, true, []]],
  ['openAccount', '/balance/currency', [undefined, null, 978, '', 'eur', 'EURO', 'E R', 'EU\u0000']],
  ['changeAccount', '/name', [null, 1, [], '', '\u0000']],
  ['transfer', '/parts', [undefined, null, {}, 'x', []]],
  ['transfer', '/parts', [Array.from({ length: 51 }, () => ({ to: NOBODY, amount: 1 }))]],
  ['transfer', '/parts/0/amount', [undefined, null, 0, -1, 1.5, 2 ** 53, '1', true, [1], {}, 1e11]],
  [
    'transfer',
    '/parts/0/to',
    [undefined, null, 1, '', 'x', `${NOBODY}0`, `{${NOBODY}}`, "' OR 1=1 --", `${NOBODY}\u0000`, [NOBODY]],
  ],
  [
    'withdraw',
    '/method',
    [undefined, null, 1, '', 'a b', 'x'.repeat(101), 'pm\u0000', '../charges', ['pm_card_ok']],
  ],
];

describeWrongValues(
  wrong,
  (route) => routes[route]().body,
  (route, text) => raw(route, text, 422),
);

describe('an invalid member', () => {
  it('is reported together with all others', async () => {
    const problem = await raw('register', '{"email":1,"password":"x","nick":"a"}', 422);

    expect(placesOf(problem).toSorted()).toEqual(['/email', '/name', '/nick', '/password']);
  });

  it.each(['1e400', '-1e400', '9007199254740993', '1E2147483648'])(
    'is 422 for the number %s',
    async (number) => {
      const text = `{"from":"${from}","parts":[{"to":"${to}","amount":${number}}]}`;

      expect(placesOf(await raw('transfer', text, 422))).toEqual(['/parts/0/amount']);
    },
  );

  it('is 422 for list elements that are not objects', async () => {
    for (const parts of ['[null]', '[1]', '["x"]', '[[]]', '[[[]]]']) {
      const text = `{"from":"${from}","parts":${parts}}`;
      expect(placesOf(await raw('transfer', text, 422))[0]).toMatch(/^\/parts/);
    }
  });
});

describe('text that is not well-formed Unicode, half of a surrogate pair', () => {
  const half = String.raw`\ud800`;

  it.each(everyRoute)('is 422 in any place (%s)', async (route) => {
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
});

describe('a request for something unknown', () => {
  it('is 422 for an unknown account in the body', async () => {
    const body = JSON.stringify({ from, parts: [{ to: NOBODY, amount: 1 }] });

    expect((await raw('transfer', body, 422)).code).toBe('unknown-account');
  });

  it('is 404 for an unknown or foreign account in the path', async () => {
    const body = JSON.stringify({ amount: 1, method: 'pm_card_ok' });
    const headers = { ...KEY, ...JSON_TYPE };
    await refusalOf(404, 'POST', `/v1/accounts/${NOBODY}/withdrawals`, body, { ...as(ada), ...headers });
    await refusalOf(404, 'POST', `/v1/accounts/${from}/withdrawals`, body, { ...as(eve), ...headers });
  });
});

describe('an Idempotency-Key', () => {
  const keyless = (route: Route) => {
    const { method, path, body, headers } = routes[route]();
    const { 'idempotency-key': _, ...others } = headers as Record<string, string>;
    return { method, path, body: JSON.stringify(body), headers: { ...others, ...JSON_TYPE } };
  };

  it.each<Route>(['transfer', 'withdraw'])('that is missing is 400 (%s)', async (route) => {
    const { method, path, body, headers } = keyless(route);

    expect((await refusalOf(400, method, path, body, headers)).detail).toContain('Idempotency-Key');
  });

  it.each(['', ' ', '""', 'x'.repeat(256), `"${'x'.repeat(256)}"`, 'k\u00e9y', '"open'])(
    'of the form %j is 400',
    async (key) => {
      for (const route of ['transfer', 'withdraw'] as const) {
        const { method, path, body, headers } = keyless(route);
        await refusalOf(400, method, path, body, { ...headers, 'idempotency-key': key });
      }
    },
  );

  it('with another payload is 422', async () => {
    const body = JSON.stringify({ from, parts: [{ to, amount: 2 }] });
    const headers = { ...as(ada), ...JSON_TYPE, ...USED_KEY };

    expect((await refusalOf(422, 'POST', '/v1/transfers', body, headers)).code).toMatch(/^idempotency-key/);
  });
});

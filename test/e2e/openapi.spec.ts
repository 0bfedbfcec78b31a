import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApi } from '../../src/api.app.js';
import { loadSettings } from '../../src/config/index.js';
import { HealthRegistry } from '../../src/platform/health/index.js';
import { createProcessLog } from '../../src/platform/observability/index.js';
import { startLedger, type LedgerUnderTest } from '../specimen/ledger-under-test.js';
import { PRODUCT as FEATURES } from '../specimen/product.modules.js';
import { PRODUCT } from '../specimen/product.js';
import { Conformance, type OpenApiDocument } from './openapi/conformance.js';
import { DocumentedApi, NOBODY } from './openapi/documented-api.js';
import { describeEveryOperation, describePromises } from './openapi/every-operation.js';
import { newAdmin, newUser } from '../factories/users.js';

let ledger: LedgerUnderTest;
let api: DocumentedApi;
let conformance: Conformance;
let ada: string;
let eve: string;
let admin: string;
let from: string;
let to: string;

const call = (...request: Parameters<DocumentedApi['call']>) => api.call(...request);
const statusOf = (...request: Parameters<DocumentedApi['call']>) => api.statusOf(...request);
const idempotent = (key?: string) => api.idempotent(key);

const open = async (as: string, amount: number): Promise<string> => {
  const body = { name: 'Savings', note: 'For later', balance: { amount, currency: 'EUR' } };
  return ((await call('POST', '/v1/accounts', { as, body })).body as { id: string }).id;
};
const transfer = (as: string, body: object, key?: string) =>
  call('POST', '/v1/transfers', { as, body, headers: idempotent(key) });

beforeAll(async () => {
  ledger = await startLedger();
  const { body } = await ledger.http.get<OpenApiDocument>('/openapi.json');
  conformance = new Conformance(body);
  api = new DocumentedApi(ledger.url, conformance);
  const users = await Promise.all([newUser(ledger), newUser(ledger), newAdmin(ledger)]);
  [ada, eve, admin] = users.map(({ accessToken }) => accessToken) as [string, string, string];
  from = await open(ada, 1000);
  to = await open(eve, 0);
}, 120_000);

afterAll(() => ledger?.stop());

describe('the OpenAPI document', () => {
  it('is version 3.1 with valid schemas', () => {
    expect(conformance.operations.length).toBeGreaterThan(15);
    expect(conformance.invalidSchemas()).toEqual([]);
  });

  it('has every public route and no other', () => {
    const fastify = ledger.api.getHttpAdapter().getInstance() as {
      routeTable: { list(): { url: string; methods: string[] }[] };
    };
    const routes = fastify.routeTable
      .list()
      // The payees are left out of the document (@ApiExcludeController).
      .filter(({ url }) => !/^\/(docs|openapi\.json|v1\/payees)/.test(url))
      .flatMap(({ url, methods }) =>
        methods.map((method) => `${method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`),
      )
      .filter((route) => !/^(HEAD|OPTIONS) /.test(route));

    expect(routes.toSorted()).toEqual(
      conformance.operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`).toSorted(),
    );
  });

  it('can be browsed, with a content security policy that allows only its own files', async () => {
    const { text, headers } = await ledger.http.get('/docs');
    const sources = [...text.matchAll(/<(?:script|link)[^>]*(?:src|href)="([^"]+)"/g)].map(
      ([, source = '']) => source,
    );

    expect(headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(text).not.toMatch(/<script>/);
    expect(sources.length).toBeGreaterThan(3);
    for (const source of sources)
      expect((await ledger.http.get(new URL(source, `${ledger.url}/docs`).pathname)).status).toBe(200);
  });

  it.each([
    ['is not served in production', {}, 404],
    ['is served in production when it is enabled', { DOCS_ENABLED: 'true' }, 200],
  ])('%s', async (_, env, status) => {
    const { database, redis, ledger: own } = ledger.settings;
    const secrets = ['AUTH_TOKEN_SECRET', 'BANK_API_KEY'].map((name) => [name, 'x'.repeat(40)]);
    const urls = {
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      SMTP_URL: own.smtpUrl,
      BANK_URL: own.bankUrl,
    };
    const environment = {
      NODE_ENV: 'production',
      LOG_LEVEL: 'silent',
      ...Object.fromEntries(secrets),
      ...urls,
      PLAINTEXT_CONNECTIONS: Object.keys(urls).join(','),
      ...env,
    };
    const settings = loadSettings(environment, PRODUCT);
    const log = createProcessLog(settings, 'api');
    const app = await createApi(settings, log, new HealthRegistry(), undefined, FEATURES);
    try {
      for (const path of ['/docs', '/openapi.json']) expect((await app.inject(path)).statusCode).toBe(status);
    } finally {
      await app.close();
    }
  });

  it('says of every operation whether it needs a caller', () => {
    const free = conformance.operations.filter(({ needsCaller }) => !needsCaller).map(({ id }) => id);

    expect(free.toSorted()).toEqual(['getAccount', 'listAccounts', 'login', 'refresh', 'register']);
  });

  it('names the codes of every error but 503, so that a client tells errors apart by type', () => {
    const open = conformance.operations.flatMap(({ id, responses }) =>
      Object.entries(responses)
        .filter(
          ([status, response]) => Number(status) >= 400 && !JSON.stringify(response).includes('"code":{'),
        )
        .map(([status]) => `${id} ${status}`),
    );

    expect(open).toEqual(conformance.operations.map(({ id }) => `${id} 503`));
  });

  it.each([
    ['getAccount', 'If-None-Match', false],
    ['listAccounts', 'If-None-Match', false],
    ['changeAccount', 'If-Match', true],
    ['makeTransfer', 'Idempotency-Key', true],
  ])('says that %s takes the header %s', (id, header, required) => {
    const { parameters = [] } = conformance.operations.find((operation) => operation.id === id) ?? {};

    expect(parameters.filter((parameter) => parameter.in === 'header')).toEqual([
      expect.objectContaining({ name: header, required }),
    ]);
  });

  it('names each operation uniquely', () => {
    const ids = conformance.operations.map(({ id }) => id);

    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    expect(ids.filter((id) => !/^[a-z][A-Za-z]+$/.test(id))).toEqual([]);
  });
});

describe('users and sessions', () => {
  it('register, log in, refresh, log out', async () => {
    const body = { email: 'ada@example.com', password: 'a password of some length', name: 'Ada' };
    expect(await statusOf('POST', '/v1/auth/register', { body })).toBe(201);
    expect(await statusOf('POST', '/v1/auth/register', { body })).toBe(409);
    expect(
      await statusOf('POST', '/v1/auth/login', { body: { email: body.email, password: 'wrong password' } }),
    ).toBe(401);
    const { email, password } = body;
    const login = await call('POST', '/v1/auth/login', { body: { email, password } });
    expect(login.status).toBe(200);
    const { refreshToken } = login.body as { refreshToken: string };
    const refreshed = await call('POST', '/v1/auth/refresh', { body: { refreshToken } });
    expect(refreshed.status).toBe(200);
    const { accessToken } = refreshed.body as { accessToken: string };
    expect(await statusOf('POST', '/v1/auth/logout', { as: accessToken })).toBe(204);
    expect(await statusOf('POST', '/v1/auth/refresh', { body: { refreshToken } })).toBe(401);
  });

  it('are rejected for a while after repeated failures', async () => {
    const wrong = { body: { email: 'guessed@example.com', password: 'wrong password' } };
    const statuses: number[] = [];
    while (statuses.at(-1) !== 429 && statuses.length < 20)
      statuses.push(await statusOf('POST', '/v1/auth/login', wrong));

    expect(statuses.at(-1)).toBe(429);
  });

  it('list and end sessions', async () => {
    const { accessToken: token } = await newUser(ledger);
    const { body } = await call('GET', '/v1/auth/sessions?limit=1', { as: token });
    const [session] = (body as { data: { id: string }[] }).data;
    expect(await statusOf('DELETE', `/v1/auth/sessions/${session?.id}`, { as: eve })).toBe(404);
    expect(await statusOf('DELETE', `/v1/auth/sessions/${session?.id}`, { as: token })).toBe(204);
  });

  it('show and change the caller, and list all users for admins', async () => {
    expect(await statusOf('GET', '/v1/users/me', { as: ada })).toBe(200);
    expect(await statusOf('PATCH', '/v1/users/me', { as: ada, body: { name: 'Ada King' } })).toBe(200);
    expect(await statusOf('GET', '/v1/users?limit=2', { as: admin })).toBe(200);
    expect(await statusOf('GET', '/v1/users', { as: ada })).toBe(403);
  });

  it('report a deleted user', async () => {
    const { accessToken: token, userId } = await newUser(ledger);
    await ledger.sql('DELETE FROM sessions WHERE user_id = $1', [userId]);
    await ledger.sql('DELETE FROM users WHERE id = $1', [userId]);

    expect(await statusOf('GET', '/v1/users/me', { as: token })).toBe(404);
    expect(await statusOf('PATCH', '/v1/users/me', { as: token, body: { name: 'Nobody' } })).toBe(404);
  });
});

describe('accounts', () => {
  it('are listed and shown, with 304 when nothing has changed', async () => {
    expect(await statusOf('GET', '/v1/accounts?limit=1')).toBe(200);
    for (const path of ['/v1/accounts', `/v1/accounts/${to}`]) {
      const { headers } = await call('GET', path);
      expect(await statusOf('GET', path, { headers: { 'if-none-match': headers.get('etag') ?? '' } })).toBe(
        304,
      );
    }
  });

  it('are changed by their owner only, and only with the current version', async () => {
    const body = { name: 'Travel', balance: { amount: 1, currency: 'EUR' } };
    const made = await call('POST', '/v1/accounts', { as: ada, body });
    expect(made.status).toBe(201);
    const path = made.headers.get('location') ?? '';
    const known = { 'if-match': made.headers.get('etag') ?? '' };
    const name = { name: 'Trips' };

    expect(await statusOf('PATCH', path, { as: ada, body: name })).toBe(428);
    expect(await statusOf('PATCH', path, { as: eve, body: name, headers: known })).toBe(404);
    expect(await statusOf('PATCH', path, { as: ada, body: name, headers: known })).toBe(200);
    expect(await statusOf('PATCH', path, { as: ada, body: name, headers: known })).toBe(412);
  });

  it('have a statement for their owner', async () => {
    expect(await statusOf('GET', `/v1/accounts/${from}/statement`, { as: ada })).toBe(200);
    expect(await statusOf('GET', `/v1/accounts/${from}/statement`, { as: eve })).toBe(404);
  });
});

describe('transfers', () => {
  it('are made once per key', async () => {
    const body = { from, parts: [{ to, amount: 2 }] };
    const first = await transfer(ada, body, 'once');
    const again = await transfer(ada, body, 'once');

    expect([first.status, again.status, again.text]).toEqual([201, 201, first.text]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    const foreign = await transfer(eve, { from: to, parts: [{ to: from, amount: 1 }] }, 'once');
    expect([foreign.status, foreign.headers.has('idempotency-replayed')]).toEqual([201, false]);
    expect((await transfer(ada, { from, parts: [{ to, amount: 3 }] }, 'once')).status).toBe(422);
    expect(await statusOf('POST', '/v1/transfers', { as: ada, body })).toBe(400);
  });

  it('require money on an account of the caller, and known recipients', async () => {
    expect((await transfer(ada, { from, parts: [{ to, amount: 100_000 }] })).status).toBe(409);
    expect((await transfer(ada, { from, parts: [{ to: NOBODY, amount: 1 }] })).status).toBe(422);
    expect((await transfer(eve, { from, parts: [{ to, amount: 1 }] })).status).toBe(404);
  });

  it('are shown to their owner', async () => {
    const { body: made } = await transfer(ada, { from, parts: [{ to, amount: 1 }] });
    await transfer(ada, { from, parts: [{ to, amount: 1 }] });
    const path = `/v1/transfers/${(made as { id: string }).id}`;

    expect(await statusOf('GET', path, { as: ada })).toBe(200);
    expect(await statusOf('GET', path, { as: eve })).toBe(404);
    const { body } = await call('GET', '/v1/transfers?limit=1', { as: ada });
    const { nextCursor } = body as { nextCursor: string };
    expect(await statusOf('GET', `/v1/transfers?limit=1&cursor=${nextCursor}`, { as: ada })).toBe(200);
  });
});

describe('withdrawals', () => {
  const withdraw = (method: string, amount = 1, as = ada) =>
    call('POST', `/v1/accounts/${from}/withdrawals`, { as, body: { amount, method }, headers: idempotent() });

  it('succeed, are declined, and sometimes have an unknown outcome', async () => {
    const paid = await withdraw('pm_card_ok');
    expect(paid.status).toBe(201);
    expect(await statusOf('GET', paid.headers.get('location') ?? '', { as: ada })).toBe(200);
    expect(await statusOf('GET', paid.headers.get('location') ?? '', { as: eve })).toBe(404);
    expect((await withdraw('pm_card_declined')).status).toBe(402);
    expect((await withdraw('pm_card_charged_then_dropped')).status).toBe(202);
  });

  it('require money on an account of the caller, and a known method', async () => {
    expect((await withdraw('pm_card_ok', 100_000)).status).toBe(409);
    expect((await withdraw('pm_card_ok', 1, eve)).status).toBe(404);
    expect((await withdraw('unknown')).status).toBe(422);
  });
});

describe('prints', () => {
  it('are ordered and shown to the owner of the account', async () => {
    const ordered = await call('POST', `/v1/accounts/${from}/prints`, { as: ada });
    expect(ordered.status).toBe(202);
    const path = `/v1/accounts/${from}/prints/${(ordered.body as { id: string }).id}`;
    expect(await statusOf('GET', path, { as: ada })).toBe(200);
    expect(await statusOf('GET', path, { as: eve })).toBe(404);
  });
});

const everything = () => ({ api, operations: conformance.operations });

describeEveryOperation(() => ({
  ...everything(),
  admin,
  bodyLimit: ledger.settings.http.bodyLimitBytes,
  bodies: {
    register: { email: 'late@example.com', password: 'a password of some length', name: 'Late' },
    login: { email: 'late@example.com', password: 'a password of some length' },
    refresh: { refreshToken: 'unknown' },
    updateMe: { name: 'Ada' },
    openAccount: { name: 'Cork', balance: { amount: 1, currency: 'EUR' } },
    changeAccount: { name: 'Cork' },
    makeTransfer: { from: NOBODY, parts: [{ to: NOBODY, amount: 1 }] },
    withdraw: { amount: 1, method: 'pm_card_ok' },
  },
}));

describePromises(everything);

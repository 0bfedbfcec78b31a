import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sendBytes } from './bad-input/refusals.js';
import { startLedger, type LedgerUnderTest } from '../specimen/ledger-under-test.js';
import { newUser, type TestUser } from '../factories/users.js';

const PAGE = 'https://page.example';
const ID = '019aa000-0000-7000-8000-000000000000';
/** What scripts may read without being allowed to (Fetch, "CORS-safelisted response-header name"), and what is no script's business. */
const NEED_NO_EXPOSURE =
  /^(cache-control|content-(language|length|type|encoding)|expires|last-modified|pragma|access-control-.*|vary|date|connection|keep-alive|transfer-encoding|(content-security|referrer)-policy|x-(content-type|frame)-options|strict-transport-security|cross-origin-.*|origin-agent-cluster)$/;

/** A withdrawal that is answered 202. */
const UNKNOWN_OUTCOME = '{"amount":1,"method":"pm_card_charged_then_dropped"}';

let ledger: LedgerUnderTest;
let fastify: FastifyInstance;
let ada: TestUser;
let token: string;

beforeAll(async () => {
  ledger = await startLedger({
    CORS_ORIGINS: `${PAGE},http://localhost:5173`,
    OVERLOAD_MAX_IN_FLIGHT: '100',
  });
  fastify = ledger.api.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  ada = await newUser(ledger);
  token = ada.accessToken;
});

afterAll(() => ledger?.stop());

/** From a script of an origin. (Fetch of Node.js does not hold back the headers that only a browser may set.) */
const send = (method: string, path: string, headers: Record<string, string> = {}, body?: string) =>
  ledger.http.request(method, path, { headers: { origin: PAGE, ...headers }, body });

const preflight = (method: string, path: string, headers: Record<string, string> = {}) =>
  send('OPTIONS', path, { 'access-control-request-method': method, ...headers });

const listed = (header: string | null) => (header ?? '').split(',').map((name) => name.trim());

describe('A preflight', () => {
  it('allows every method of every route, with the requested headers', async () => {
    for (const { url, methods } of fastify.routeTable.list()) {
      for (const method of methods) {
        const path = url.replaceAll(/:\w+/g, ID).replace('*', 'x');
        const { status, headers, text } = await preflight(method, path, {
          'access-control-request-headers': 'authorization,content-type,idempotency-key,if-match',
        });
        expect([method, path, status, text]).toEqual([method, path, 204, '']);
        expect(headers.get('access-control-allow-origin')).toBe(PAGE);
        expect(listed(headers.get('access-control-allow-methods'))).toContain(method);
        expect(listed(headers.get('access-control-allow-headers'))).toEqual([
          'authorization',
          'content-type',
          'idempotency-key',
          'if-match',
        ]);
        expect(Number(headers.get('access-control-max-age'))).toBeGreaterThanOrEqual(600);
        expect(headers.get('x-request-id')).toMatch(/^[\w.:-]{8,}$/);
        expect(listed(headers.get('vary'))).toContain('Origin');
      }
    }
  });

  it('leaves unknown paths and methods to the request itself', async () => {
    expect(await preflight('PATCH', '/v1/nothing')).toMatchObject({ status: 204 });
    const { headers } = await preflight('PUT', '/v1/users/me');
    expect(listed(headers.get('access-control-allow-methods'))).toEqual(['GET', 'HEAD', 'PATCH']);
  });

  it('of another origin is not allowed', async () => {
    for (const origin of ['https://evil.example', `${PAGE}.evil.example`, 'null', `${PAGE}:444`]) {
      const { status, headers } = await preflight('PATCH', '/v1/users/me', { origin });
      expect([origin, status]).toEqual([origin, 405]);
      expect(headers.get('access-control-allow-origin')).toBeNull();
      expect(listed(headers.get('vary'))).toContain('Origin');
    }
  });
});

describe('Without a preflight', () => {
  it.each(['GET', 'POST', 'PATCH', 'DELETE', 'OPTIONS'])('%s of an unknown path is 404', async (method) => {
    const { status, body } = await send(method, '/v1/nothing', { authorization: `Bearer ${token}` });
    expect([status, body]).toMatchObject([404, { code: 'not-found' }]);
  });

  it.each<Record<string, string>>([{}, { origin: '' }, { origin: PAGE }])(
    'OPTIONS is a problem like any other (%j)',
    async (more) => {
      const { status, headers, body } = await ledger.http.request('OPTIONS', '/v1/users/me', {
        headers: more,
      });
      expect(status).toBe(405);
      expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
      expect(headers.get('allow')).toBe('GET, HEAD, PATCH');
      expect(body).toMatchObject({ code: 'method-not-allowed', requestId: headers.get('x-request-id') });
    },
  );
});

describe('A script of an allowed origin', () => {
  /** Answers of all kinds. */
  const answers = async () => {
    const bearer = { authorization: `Bearer ${token}` };
    const json = { ...bearer, 'content-type': 'application/json' };
    const made = await send(
      'POST',
      '/v1/accounts',
      json,
      '{"name":"Travel","balance":{"amount":1,"currency":"EUR"}}',
    );
    const { id } = made.body as { id: string };
    const key = { ...json, 'idempotency-key': 'cors' };
    const transfer = `{"from":"${id}","parts":[{"to":"${id}","amount":1}]}`;
    return Promise.all([
      Promise.resolve(made),
      send('GET', `/v1/accounts/${id}`),
      send('GET', `/v1/accounts/${id}`, { 'if-none-match': '*' }),
      send('HEAD', `/v1/accounts/${id}`),
      send('PATCH', `/v1/accounts/${id}`, { ...json, 'if-match': '"9"' }, '{"name":"Trips"}'),
      send('GET', '/v1/users/me'),
      send('GET', '/v1/users/me', bearer),
      send('DELETE', '/v1/users/me', bearer),
      send('GET', '/v1/nothing'),
      send('GET', '/v1/accounts/%zz'),
      send('GET', '/v1/accounts', { accept: 'text/html;q=1' }),
      send('POST', '/v1/auth/login', { 'content-type': 'text/plain' }, 'x'),
      send('POST', '/v1/auth/login', json, '{'),
      send('POST', '/v1/auth/login', json, JSON.stringify({ email: 'x'.repeat(300_000) })),
      send('POST', '/v1/auth/login', json, '{}'),
      send('POST', '/v1/transfers', key, transfer).then((first) =>
        send('POST', '/v1/transfers', key, transfer).then((again) => {
          expect([first.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
          return again;
        }),
      ),
      send('POST', `/v1/accounts/${id}/withdrawals`, { ...json, 'idempotency-key': 'cors' }, UNKNOWN_OUTCOME),
    ]);
  };

  it('can read every answer and its relevant headers', async () => {
    const statuses = new Set<number>();
    for (const { status, headers } of await answers()) {
      statuses.add(status);
      expect([status, headers.get('access-control-allow-origin')]).toEqual([status, PAGE]);
      expect(listed(headers.get('vary'))).toContain('Origin');
      const exposed = listed(headers.get('access-control-expose-headers')).map((name) => name.toLowerCase());
      for (const name of headers.keys()) {
        if (!NEED_NO_EXPOSURE.test(name)) expect(exposed).toContain(name);
      }
    }
    expect([...statuses].toSorted((a, b) => a - b)).toEqual([
      200, 201, 202, 304, 400, 401, 404, 405, 406, 412, 413, 415, 422,
    ]);
  });

  it('can read every header that is documented', async () => {
    const { body } = await ledger.http.get<{
      paths: Record<string, Record<string, { responses: Record<string, { headers?: object }> }>>;
    }>('/openapi.json');
    const documented = Object.values(body.paths)
      .flatMap((operations) => Object.values(operations))
      .flatMap(({ responses }) => Object.values(responses))
      .flatMap(({ headers = {} }) => Object.keys(headers));
    const { headers } = await send('GET', '/v1/accounts');
    expect(listed(headers.get('access-control-expose-headers'))).toEqual(
      expect.arrayContaining([
        ...documented,
        ...['ETag', 'Location', 'Retry-After', 'Idempotency-Replayed', 'X-Request-Id', 'Link'],
        ...['RateLimit', 'RateLimit-Policy', 'Cache-Status', 'WWW-Authenticate'],
      ]),
    );
  });

  it('can read the answer to malformed HTTP', async () => {
    for (const bytes of [
      `GET /v1/accounts HTTP/1.1\r\nHost: x\r\nOrigin: ${PAGE}\r\nCookie: ${'a'.repeat(100_000)}\r\n\r\n`,
      `GET /v1/accounts HTTP/1.1\r\nHost: x\r\nOrigin: ${PAGE}\r\nnonsense\r\n\r\n`,
    ]) {
      const { status, headers } = await sendBytes(ledger.url, bytes);
      expect([400, 431]).toContain(status);
      expect(headers.get('access-control-allow-origin')).toBe('*');
      expect(headers.get('x-request-id')).not.toBeNull();
      expect(listed(headers.get('access-control-expose-headers'))).toContain('X-Request-Id');
    }
  });
});

describe('A script of another origin', () => {
  it('can read nothing, and the answer varies by origin', async () => {
    for (const origin of ['https://evil.example', '']) {
      const { status, headers } = await send('GET', '/v1/accounts', { origin });
      expect(status).toBe(200);
      expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
      expect(headers.get('vary')).toBe('Origin');
    }
  });
});

describe('Under overload', () => {
  const slots: ServerResponse[] = [];

  /** Requests that hold so many of the hundred slots. */
  function occupy(count: number): void {
    for (let slot = 0; slot < count; slot += 1) {
      const response = {} as ServerResponse;
      fastify.inFlight.add(response);
      slots.push(response);
    }
  }

  afterEach(() => {
    for (const response of slots.splice(0)) fastify.inFlight.delete(response);
  });

  it('the preflight of a login is served like the login', async () => {
    occupy(85);
    expect((await preflight('POST', '/v1/auth/login')).status).toBe(204);
    const { email, password } = ada;
    const json = { 'content-type': 'application/json' };
    const login = await send('POST', '/v1/auth/login', json, JSON.stringify({ email, password }));
    expect(login.status).toBe(200);
  });

  it('a script can read the 503 and its Retry-After', async () => {
    occupy(100);
    // A preflight that is refused is, for the script, a network error.
    expect((await preflight('POST', '/v1/transfers')).status).toBe(204);
    const { status, headers } = await send('POST', '/v1/transfers', {}, '{}');
    expect([status, headers.get('access-control-allow-origin')]).toEqual([503, PAGE]);
    expect(listed(headers.get('access-control-expose-headers'))).toContain('Retry-After');
    expect(headers.get('retry-after')).not.toBeNull();
  });
});

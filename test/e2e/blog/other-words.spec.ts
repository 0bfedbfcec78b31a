import { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { InFlight } from '../../../src/platform/http/index.js';
import { RawClient } from '../../support/raw-client.js';
import { startLedger, type LedgerUnderTest } from '../../specimen/ledger-under-test.js';
import { newUser, type TestUser } from '../../factories/users.js';
import { withKey } from '../../factories/keys.js';

/** As a fork writes its errors in other words than RFC 9457. */
vi.mock('../../../src/product.modules.js', async (original) => {
  const { BLOG_ERRORS } = await import('./blog-errors.js');
  const product = await original<typeof import('../../../src/product.modules.js')>();
  return { ...product, PROBLEMS: BLOG_ERRORS };
});

interface Written {
  errors: string[];
  request: string;
}

let ledger: LedgerUnderTest;
let ada: Pick<TestUser, 'accessToken' | 'http'>;

beforeAll(async () => {
  ledger = await startLedger({
    LOG_LEVEL: 'silent',
    HTTP_AUTH_SCHEME: 'Token',
    OVERLOAD_MAX_IN_FLIGHT: '4',
    PROBLEM_TYPE_BASE: 'https://blog.example/problems#',
  });
  const { accessToken } = await newUser(ledger);
  ada = { accessToken, http: ledger.http.with({ authorization: `Token ${accessToken}` }) };
}, 120_000);

afterAll(() => ledger?.stop());

function expectOurWords(answer: { headers: Headers; text: string }, ...errors: string[]): void {
  expect(answer.headers.get('content-type')).toBe('application/vnd.blog+json; charset=utf-8');
  const body = JSON.parse(answer.text) as Written;
  expect(body).toMatchObject({ errors, request: answer.headers.get('x-request-id') });
}

describe('Errors in another format', () => {
  it('are sent by handlers, validation, guards and unknown routes', async () => {
    expectOurWords(await ledger.http.get('/v1/users/me'), 'unauthenticated', '/v1/users/me');
    expectOurWords(await ledger.http.get('/v1/nothing'), 'not-found', '/v1/nothing');
    expectOurWords(await ada.http.get('/v1/accounts/7'), 'validation-failed', '/v1/accounts/7');
    expectOurWords(await ledger.http.get('/v1/accounts/%F0'), 'malformed-request', '/v1/accounts/%F0');
    expectOurWords(await ledger.http.post('/v1/auth/login', '{'), 'malformed-request', '/v1/auth/login');
  });

  it('are sent for bytes that are no request', async () => {
    const client = await RawClient.open(ledger.url);
    client.send('nonsense\r\n\r\n');
    const [answer] = await client.receives(1);
    expect(answer?.status).toBe(400);
    expect(answer?.headers['content-type']).toBe('application/vnd.blog+json; charset=utf-8');
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ errors: ['malformed-request', '/'] });
  });

  it('are sent for a stored rejection and its replay', async () => {
    const open = async () => {
      const account = { name: 'Savings', balance: { amount: 1, currency: 'EUR' } };
      return (await ada.http.post<{ id: string }>('/v1/accounts', account)).body.id;
    };
    const transfer = { from: await open(), parts: [{ to: await open(), amount: 2 }] };
    const key = withKey();
    const [first, again] = [
      await ada.http.post('/v1/transfers', transfer, key),
      await ada.http.post('/v1/transfers', transfer, key),
    ];
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(again.text).toBe(first.text);
    expectOurWords(first, 'insufficient-funds', '/v1/transfers');
    expect(again.headers.get('content-type')).toBe('application/vnd.blog+json; charset=utf-8');
  });

  it('are sent by an overloaded server', async () => {
    const { inFlight } = ledger.api.getHttpAdapter().getInstance() as unknown as { inFlight: InFlight };
    const others = Array.from({ length: 4 }, () => new ServerResponse({ method: 'GET' } as IncomingMessage));
    for (const other of others) inFlight.add(other);
    try {
      const answer = await ledger.http.get('/v1/transfers?limit=1');
      expect(answer.status).toBe(503);
      expectOurWords(answer, 'temporary-reduced-capacity', '/v1/transfers');
    } finally {
      for (const other of others) inFlight.delete(other);
    }
  });

  it('are problem documents when the format fails', async () => {
    const account = { email: 'twice@example.com', password: 'correct horse battery', name: 'Ada' };
    await ledger.http.post('/v1/auth/register', account);
    const answer = await ledger.http.post('/v1/auth/register', account);
    expect(answer.status).toBe(409);
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(answer.body).toMatchObject({
      code: 'email-taken',
      type: 'https://blog.example/problems#email-taken',
    });
  });

  it('are documented', async () => {
    const { body } = await ledger.http.get<{
      paths: Record<string, Record<string, { responses: Record<string, { content: object }> }>>;
      components: { schemas: Record<string, unknown> };
    }>('/openapi.json');
    const schema = { $ref: '#/components/schemas/BlogErrors' };
    for (const [status, { content }] of Object.entries(body.paths['/v1/accounts/{id}']!.patch!.responses)) {
      if (Number(status) >= 400) expect(content).toEqual({ 'application/vnd.blog+json': { schema } });
    }
    expect(body.components.schemas).toHaveProperty('BlogErrors');
    expect(JSON.stringify(body)).not.toContain('application/problem+json');
  });
});

describe('A scheme other than Bearer', () => {
  it('precedes the access token, in any case', async () => {
    expect((await ada.http.get('/v1/users/me')).status).toBe(200);
    const shouted = await ledger.http.get('/v1/users/me', {
      headers: { authorization: `TOKEN ${ada.accessToken}` },
    });
    expect(shouted.status).toBe(200);
  });

  it.each(['Bearer', 'Tokens', 'Toke', 'Token:', ''])('is the only one: "%s" is rejected', async (scheme) => {
    const answer = await ledger.http.get('/v1/users/me', {
      headers: { authorization: `${scheme} ${ada.accessToken}` },
    });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Token error="invalid_token"');
  });

  it('is used by challenges, logins and the OpenAPI document', async () => {
    expect((await ledger.http.get('/v1/users/me')).headers.get('www-authenticate')).toBe('Token');
    const account = { email: 'token@example.com', password: 'correct horse battery' };
    const failed = await ledger.http.post('/v1/auth/login', account);
    expect(failed.headers.get('www-authenticate')).toBe('Token');
    await ledger.http.post('/v1/auth/register', { ...account, name: 'Ada' });
    const login = await ledger.http.post('/v1/auth/login', account);
    expect(login.body).toMatchObject({ tokenType: 'Token' });
    const { body } = await ledger.http.get<{ components: { securitySchemes: object } }>('/openapi.json');
    expect(body.components.securitySchemes).toEqual({
      bearer: { type: 'apiKey', in: 'header', name: 'Authorization', description: '`Token <accessToken>`' },
    });
  });
});

import { afterAll, beforeAll, expect, it } from 'vitest';
import { startLedger, type LedgerUnderTest } from '../specimen/ledger-under-test.js';

let ledger: LedgerUnderTest;

beforeAll(async () => {
  ledger = await startLedger();
});

afterAll(() => ledger?.stop());

it.each([
  ['an answer', 'GET', '/openapi.json', 200],
  ['an answer to HEAD', 'HEAD', '/openapi.json', 200],
  ['a missing token', 'GET', '/v1/users/me', 401],
  ['an unknown path', 'GET', '/nowhere', 404],
  ['an unknown method', 'PUT', '/v1/users/me', 405],
  ['a missing body', 'POST', '/v1/auth/login', 422],
])('%s carries the security headers', async (_, method, path, status) => {
  const answer = await ledger.http.request(method, path);
  expect(answer.status).toBe(status);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-security-policy':
      "default-src 'none';script-src 'self';style-src 'self' 'unsafe-inline';img-src 'self' data:;connect-src 'self';frame-ancestors 'none';base-uri 'none';form-action 'none'",
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'strict-transport-security': 'max-age=31536000; includeSubDomains',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  });
});

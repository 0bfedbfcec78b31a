import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startLedger, type LedgerUnderTest } from '../../specimen/ledger-under-test.js';
import { contentOf, placesOf, problemIn, sendBytes, type ProblemBody, type Refusal } from './refusals.js';
import { newUser } from '../../factories/users.js';

const NOBODY = '019aa000-0000-7000-8000-000000000000';

let ledger: LedgerUnderTest;
let token: string;
let before: Record<string, string>;

async function send(path: string, options: RequestInit = {}): Promise<Refusal> {
  const headers = { authorization: `Bearer ${token}`, ...(options.headers as Record<string, string>) };
  const response = await fetch(ledger.url + path, { ...options, headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

async function refusalOf(status: number, path: string, options?: RequestInit): Promise<ProblemBody> {
  const problem = problemIn(await send(path, options));
  expect([path, problem.status]).toEqual([path, status]);
  return problem;
}

/** A request line and headers as they are: fetch would put much of this right. */
const bytes = (...lines: string[]) => sendBytes(ledger.url, [...lines, '', ''].join('\r\n'));

beforeAll(async () => {
  ledger = await startLedger();
  token = (await newUser(ledger)).accessToken;
});

afterAll(() => ledger?.stop());

/** Whatever a test of this file sends: not a row is written, changed or gone. */
beforeEach(async () => {
  before = await contentOf(ledger.database);
});
afterEach(async () => {
  assert.deepEqual(await contentOf(ledger.database), before);
});

describe('an id in a path', () => {
  const routes = ['/v1/accounts/', '/v1/transfers/'];

  it.each([
    'x',
    '1',
    'null',
    'undefined',
    `${NOBODY}0`,
    NOBODY.slice(1),
    `urn:uuid:${NOBODY}`,
    `{${NOBODY}}`,
    '%00',
    '%0d%0a',
    "'%20OR%201=1--",
    '..%2f..%2fetc',
    '%E2%82%AC',
  ])('of the form %s is 422 and named', async (id) => {
    for (const route of routes) expect(placesOf(await refusalOf(422, route + id))).toEqual(['?id']);
  });

  it('of an unknown resource is 404', async () => {
    for (const route of routes) await refusalOf(404, route + NOBODY);
  });

  it('that is very long is 4xx', async () => {
    for (const route of routes) problemIn(await send(route + 'a'.repeat(8000)));
  });
});

describe('a query', () => {
  const lists = ['/v1/accounts', '/v1/transfers', '/v1/auth/sessions'];
  const cursor = (value: unknown) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

  it.each([
    ['limit=0', '?limit'],
    ['limit=-1', '?limit'],
    ['limit=101', '?limit'],
    ['limit=1.5', '?limit'],
    ['limit=1e1', '?limit'],
    ['limit=0x10', '?limit'],
    ['limit=ten', '?limit'],
    ['limit=', '?limit'],
    ['limit', '?limit'],
    ['limit=9007199254740993', '?limit'],
    ['limit=1&limit=2', '?limit'],
    ['limit=%00', '?limit'],
    ['limit[]=1', '?limit[]'],
    ['limit[$gt]=1', '?limit[$gt]'],
    ['offset=1', '?offset'],
    ['Limit=1', '?Limit'],
    ['__proto__=1', '?__proto__'],
    ['toString=1', '?toString'],
    ['=1', '?'],
    [`cursor=${'a'.repeat(501)}`, '?cursor'],
    ['cursor=a&cursor=b', '?cursor'],
  ])('such as %s is 422 for %s', async (query, place) => {
    for (const list of lists)
      expect([list, ...placesOf(await refusalOf(422, `${list}?${query}`))]).toEqual([list, place]);
  });

  it.each([
    '',
    'x',
    '%00',
    '🙂',
    '!!!',
    cursor('x'),
    cursor('{'),
    cursor('null'),
    cursor([]),
    cursor({}),
    cursor([null]),
    cursor([1]),
    cursor([{}]),
    cursor(['x']),
  ])('with the invalid cursor %s is 422', async (value) => {
    for (const list of lists)
      expect(placesOf(await refusalOf(422, `${list}?cursor=${value}`))).toEqual(['?cursor']);
  });

  it.each([
    [[`${NOBODY}\u0000`]],
    [[`${NOBODY}'--`]],
    [[NOBODY, NOBODY, NOBODY, NOBODY]],
    [[NOBODY.toUpperCase()]],
    [[-1]],
    [[1e300]],
    [['2026-11-20']],
    [['9'.repeat(50)]],
  ])('with the forged cursor %j is 422', async (value) => {
    for (const list of lists)
      expect(placesOf(await refusalOf(422, `${list}?cursor=${cursor(value)}`))).toEqual(['?cursor']);
  });
});

describe('a URL', () => {
  it.each([
    '/v1/accounts/%',
    '/v1/accounts/%zz',
    '/v1/accounts/%C3%28',
    '/v1/%',
    '/%',
    '/%2',
    '/v1/accounts/%E0%A4%A',
  ])('with invalid encoding, %s, is 400', async (path) => {
    expect((await refusalOf(400, path)).detail).not.toBe('');
  });

  it.each(['?limit=%', '?cursor=%E0%A4%A', '?%=1'])(
    'with an invalidly encoded query, %s, is 4xx',
    async (query) => {
      problemIn(await send(`/v1/accounts${query}`));
    },
  );

  it.each([
    '/',
    '/v1',
    '/v2/accounts',
    '/v1/nothing',
    '/v1/accounts/',
    '/v1//accounts',
    '/V1/accounts',
    '/v1/accounts;x=1',
    '/.env',
    '/health/live',
    '/health/ready',
    '/metrics',
  ])('%s, which does not exist, is 404', async (path) => {
    expect((await refusalOf(404, path)).code).toBe('not-found');
  });

  it.each([
    'http://evil.example/v1/nothing',
    '//evil.example/v1/nothing',
    '/../v1/nothing',
    '*',
    '/v1/\u00e9',
  ])('as request target %s is 4xx', async (target) => {
    problemIn(await bytes(`GET ${target} HTTP/1.1`, 'Host: localhost', 'Connection: close'));
  });

  it('that is longer than headers may be is 414 or 431', async () => {
    const { status } = problemIn(
      await bytes(`GET /v1/accounts?cursor=${'a'.repeat(100_000)} HTTP/1.1`, 'Host: localhost'),
    );

    expect([414, 431]).toContain(status);
  });
});

describe('a method', () => {
  it.each([
    ['PUT', '/v1/transfers', 'GET, HEAD, POST'],
    ['DELETE', '/v1/accounts', 'GET, HEAD, POST'],
    ['DELETE', `/v1/transfers/${NOBODY}`, 'GET, HEAD'],
    ['POST', `/v1/accounts/${NOBODY}`, 'GET, HEAD, PATCH'],
    ['GET', '/v1/auth/login', 'POST'],
    ['PATCH', '/v1/auth/login', 'POST'],
    ['GET', `/v1/accounts/${NOBODY}/withdrawals`, 'POST'],
    ['PUT', '/v1/users/me', 'GET, HEAD, PATCH'],
    ['POST', '/v1/users', 'GET, HEAD'],
  ])('%s %s is 405 with the allowed methods', async (method, path, allowed) => {
    const answer = await send(path, { method });

    expect([answer.status, problemIn(answer).code, answer.headers.get('allow')]).toEqual([
      405,
      'method-not-allowed',
      allowed,
    ]);
  });

  it.each(['TRACE', 'PROPFIND', 'PURGE', 'LOCK'])(
    '%s, known to HTTP but not to us, is 4xx',
    async (method) => {
      problemIn(await bytes(`${method} /v1/accounts HTTP/1.1`, 'Host: localhost', 'Connection: close'));
    },
  );
});

describe('an Accept', () => {
  it.each(['application/xml', 'text/html', 'image/*', 'application/json;q=0', 'text/csv', 'x'])(
    'of %s is 406 where there is only JSON',
    async (accept) => {
      for (const path of ['/v1/accounts', '/v1/users/me', '/v1/transfers']) {
        expect((await refusalOf(406, path, { headers: { accept } })).detail).toContain('application/json');
      }
    },
  );

  it('of JSON is 406 where there is only CSV', async () => {
    await refusalOf(406, `/v1/accounts/${NOBODY}/statement`, { headers: { accept: 'application/json' } });
  });
});

describe('an access token', () => {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const payload = {
    sub: NOBODY,
    role: 'admin',
    sid: NOBODY,
    iss: 'holdfast',
    aud: 'holdfast',
    iat: 1,
    exp: 9_999_999_999,
  };
  const sign = (header: object, key: string) => {
    const input = `${encode(header)}.${encode(payload)}`;
    return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
  };

  it.each([
    ['nothing', ''],
    ['empty', 'Bearer '],
    ['of another scheme', 'Basic YWRtaW46YWRtaW4='],
    ['without a token', 'Bearer x'],
    ['unsigned', `Bearer ${encode({ alg: 'none', typ: 'JWT' })}.${encode(payload)}.`],
    [
      'signed with another key',
      `Bearer ${sign({ alg: 'HS256', typ: 'JWT' }, 'another key of some length indeed')}`,
    ],
    ['signed with an empty key', `Bearer ${sign({ alg: 'HS256', typ: 'JWT' }, '')}`],
    ['10 kB long', `Bearer ${'a'.repeat(10_000)}`],
    ['two', 'Bearer a, Bearer b'],
    ['bytes', 'Bearer \u00ff\u00fe'],
  ])('that is %s is 401', async (_, authorization) => {
    const answer = await send('/v1/users/me', { headers: { authorization } });

    expect([answer.status, problemIn(answer).code]).toEqual([401, 'unauthenticated']);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });
});

describe('an X-Request-Id', () => {
  it.each([
    '',
    'short',
    'x'.repeat(129),
    'with spaces in it',
    '"quoted-and-long"',
    '<script>alert(1)</script>',
    '\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9',
  ])('of the form %j is replaced', async (id) => {
    const answer = await send(`/v1/transfers/${NOBODY}`, { headers: { 'x-request-id': id } });

    expect(problemIn(answer).requestId).not.toBe(id);
    expect(answer.headers.get('x-request-id')).toMatch(/^[\w.:-]{8,128}$/);
  });
});

describe('bytes that are not HTTP', () => {
  it.each([
    ['words', 'hello there\r\n\r\n'],
    ['zeros', Buffer.alloc(64)],
    ['a TLS handshake', Buffer.from('160301020001000100fc0303', 'hex')],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['an unknown method', 'FOO /v1/accounts HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['an unknown version', 'GET /v1/accounts HTTP/9.9\r\nHost: localhost\r\n\r\n'],
    ['no host', 'GET /v1/accounts HTTP/1.1\r\n\r\n'],
    ['two hosts', 'GET /v1/accounts HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n'],
    ['two hosts in HTTP/1.0', 'GET /v1/accounts HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n'],
    ['an impossible host', 'GET /v1/accounts HTTP/1.1\r\nHost: a/b?c@d\r\n\r\n'],
    ['a header without a colon', 'GET /v1/accounts HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n'],
    ['a NUL in a header', 'GET /v1/accounts HTTP/1.1\r\nHost: localhost\r\nX-A: a\0b\r\n\r\n'],
    ['a space before the colon', 'GET /v1/accounts HTTP/1.1\r\nHost: localhost\r\nX-A : a\r\n\r\n'],
    [
      'two lengths',
      'POST /v1/transfers HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    ],
    [
      'a length and chunks',
      'POST /v1/transfers HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a negative length', 'POST /v1/transfers HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n'],
    [
      'a length that is not a number',
      'POST /v1/transfers HTTP/1.1\r\nHost: localhost\r\nContent-Length: many\r\n\r\n',
    ],
    [
      'an unknown transfer encoding',
      'POST /v1/transfers HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: zip\r\n\r\n',
    ],
    [
      'chunks without a size',
      'POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n',
    ],
    [
      'an unknown expectation',
      'POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nExpect: the-unexpected\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}',
    ],
  ])('are answered with a problem document: %s', async (_, request) => {
    problemIn(await sendBytes(ledger.url, request));
  });

  it('but headers that are too large are 431', async () => {
    const { status, code } = problemIn(
      await bytes('GET /v1/accounts HTTP/1.1', 'Host: localhost', `X-Large: ${'a'.repeat(100_000)}`),
    );

    expect([status, code]).toEqual([431, 'headers-too-large']);
  });

  it('have no effect on the server', async () => {
    expect((await send('/v1/accounts')).status).toBe(200);
  });
});

describe('a body of 10 MB', () => {
  const megabyte = Buffer.alloc(1 << 20, 'a');

  it('without a content type and a length is 4xx before it has arrived completely', async () => {
    const chunks = Array.from({ length: 10 }, () => [
      `${megabyte.length.toString(16)}\r\n`,
      megabyte,
      '\r\n',
    ]).flat();
    const head = [
      'POST /v1/auth/login HTTP/1.1',
      'Host: localhost',
      'Transfer-Encoding: chunked',
      '',
      '',
    ].join('\r\n');
    const { status } = problemIn(await sendBytes(ledger.url, head, ...chunks, '0\r\n\r\n'));

    expect([413, 415]).toContain(status);
  });

  it.each(['/v1/auth/login', '/v1/transfers', '/v1/accounts', '/v1/nothing'])(
    'to %s is 4xx for a client that sends all of it',
    async (path) => {
      for (const headers of [{}, { 'content-type': 'application/json' }]) {
        const body = new Uint8Array(10 << 20).fill(32);
        problemIn(await send(path, { method: 'POST', body, headers: headers as Record<string, string> }));
      }
    },
  );
});

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RawClient } from '../../support/raw-client.js';
import { waitFor } from '../../../local/wait-for.js';
import { startLedger, type LedgerUnderTest } from '../../specimen/ledger-under-test.js';
import { countedAnswers, countedSince } from './metrics-of.js';

const NOBODY = '019aa000-0000-7000-8000-000000000000';
const get = (path: string, ...headers: string[]) =>
  [`GET ${path} HTTP/1.1`, 'Host: here', ...headers, '', ''].join('\r\n');
const post = (path: string, body: string, ...headers: string[]) =>
  [
    `POST ${path} HTTP/1.1`,
    'Host: here',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    ...headers,
    '',
    body,
  ].join('\r\n');

let ledger: LedgerUnderTest;
let before: Record<string, number>;
const clients: RawClient[] = [];

async function open(): Promise<RawClient> {
  const client = await RawClient.open(ledger.url);
  clients.push(client);
  return client;
}

beforeEach(async () => {
  before = await countedAnswers(ledger);
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

/** Exactly this was counted, now and when the connection is gone. */
async function expectCounted(expected: Record<string, number>): Promise<void> {
  const isCounted = async () => {
    expect(await countedSince(ledger, before)).toEqual(expected);
    return true;
  };
  await waitFor(isCounted, { what: 'the count' });
  for (const client of clients.splice(0)) {
    client.close();
    await waitFor(() => client.closed);
  }
  await ledger.http.get('/v1/nothing');
  const { 'GET (unmatched) 404': unmatched = 0, ...rest } = await waitFor(async () => {
    const counted = await countedSince(ledger, before);
    return (counted['GET (unmatched) 404'] ?? 0) > (expected['GET (unmatched) 404'] ?? 0) && counted;
  });
  expect(unmatched).toBe((expected['GET (unmatched) 404'] ?? 0) + 1);
  const { 'GET (unmatched) 404': _, ...others } = expected;
  expect(rest).toEqual(others);
}

describe('The request metrics count once', () => {
  beforeAll(async () => {
    ledger = await startLedger({ OVERLOAD_MAX_IN_FLIGHT: '2', AUTH_LOGIN_MAX_FAILURES: '1000' });
  });
  afterAll(() => ledger?.stop());

  it.each([
    ['a success', get('/v1/accounts'), 'GET /v1/accounts 200'],
    ['an unknown path', get('/v1/nothing'), 'GET (unmatched) 404'],
    ['a rejected request', get(`/v1/accounts/${NOBODY}`), 'GET /v1/accounts/:id 404'],
    ['a method that is not allowed', post('/v1/users', '{}'), 'POST (unmatched) 405'],
    ['a badly encoded path', get('/v1/accounts/%zz'), 'GET (unmatched) 400'],
    ['a body that is not JSON', post('/v1/auth/login', '{'), 'POST /v1/auth/login 400'],
    ['a body that is too large', post('/v1/auth/login', ' '.repeat(300_000)), 'POST /v1/auth/login 413'],
    [
      'an Accept header that nothing satisfies',
      get('/v1/accounts', 'Accept: text/html'),
      'GET /v1/accounts 406',
    ],
    ['no Host', 'GET /v1/accounts HTTP/1.1\r\n\r\n', 'GET /v1/accounts 400'],
    ['an unknown expectation', get('/v1/accounts', 'Expect: wonders'), 'GET /v1/accounts 200'],
    ['an upgrade', get('/v1/accounts', 'Connection: upgrade', 'Upgrade: h2c'), 'GET /v1/accounts 200'],
    ['HTTP/1.0', 'GET /v1/accounts HTTP/1.0\r\n\r\n', 'GET /v1/accounts 200'],
    ['a HEAD', 'HEAD /v1/accounts HTTP/1.1\r\nHost: here\r\n\r\n', 'HEAD /v1/accounts 200'],
    ['bytes that are not HTTP', 'NONSENSE\r\n\r\n', '_OTHER (malformed) 400'],
    ['headers that are too large', get('/', `X: ${'a'.repeat(100_000)}`), '_OTHER (malformed) 431'],
    ['a CONNECT', 'CONNECT a.example:1 HTTP/1.1\r\nHost: a\r\n\r\n', '_OTHER (malformed) 400'],
    [
      'malformed chunks',
      'POST /v1/auth/login HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      'POST /v1/auth/login 400',
    ],
  ])('%s', async (_, bytes, counted) => {
    const client = (await open()).send(bytes);
    await client.receives(1);

    await expectCounted({ [counted]: 1 });
  });

  it('each of the answers on one connection', async () => {
    const client = (await open()).send(get('/v1/accounts') + get('/v1/nothing') + 'NONSENSE\r\n\r\n');
    await client.ended();

    await expectCounted({ 'GET /v1/accounts 200': 1, 'GET (unmatched) 404': 1 });
  });

  it('requests beyond the limit of their connection', async () => {
    const client = (await open()).send(get('/v1/accounts').repeat(40));
    const answers = await client.ended();

    expect(answers.map(({ status }) => status)).toEqual([...Array<number>(32).fill(200), 429]);
    await expectCounted({
      'GET /v1/accounts 200': 32,
      'GET (pipelined) 429': 1,
      // Behind the refusal nothing is answered.
      'GET (unmatched) 499': 7,
    });
  });

  it('each request that is shed', async () => {
    const hashing = post('/v1/auth/login', '{"email":"a@example.com","password":"a long password"}');
    const all = await Promise.all(Array.from({ length: 20 }, () => open()));
    const answers = await Promise.all(all.map((client) => client.send(hashing).receives(1)));

    const shed = answers.flat().filter(({ status }) => status === 503).length;
    expect(shed).toBeGreaterThan(0);
    await expectCounted({
      'POST (shed) 503': shed,
      ...(shed < 20 && { 'POST /v1/auth/login 401': 20 - shed }),
    });
  });

  it('a request whose client has disconnected', async () => {
    const hashing = post('/v1/auth/login', '{"email":"a@example.com","password":"a long password"}');
    const left = (await open()).send(hashing);
    await waitFor(() => left.socket.bytesWritten === hashing.length);
    left.reset();

    await expectCounted({ 'POST /v1/auth/login 499': 1 });
  });
});

describe('A request that does not arrive in time is counted once:', () => {
  beforeAll(async () => {
    ledger = await startLedger({ HTTP_ARRIVAL_TIMEOUT_MS: '1000' });
  });
  afterAll(() => ledger?.stop());

  it.each([
    ['headers that stop', 'GET /v1/accounts HT', '_OTHER (malformed) 408'],
    [
      'a body that stops',
      post('/v1/auth/login', '{').replace('Content-Length: 1', 'Content-Length: 9'),
      'POST /v1/auth/login 408',
    ],
  ])('%s', async (_, bytes, counted) => {
    const client = (await open()).send(bytes);
    await client.receives(1);

    await expectCounted({ [counted]: 1 });
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ProblemDocument } from '../../src/platform/http/index.js';
import { httpClient, type HttpClient, type HttpResponse } from '../../local/http.ts';
import { startLedger, type LedgerUnderTest } from '../specimen/ledger-under-test.ts';
import { newUser } from '../factories/users.ts';

const LIMIT = 40;

let ledger: LedgerUnderTest;
let a: HttpClient;
let b: HttpClient;

beforeAll(async () => {
  ledger = await startLedger({
    RATE_LIMIT_REQUESTS: String(LIMIT),
    // Tests act as clients of many addresses.
    TRUST_PROXY: '127.0.0.1',
  });
  a = ledger.http;
  b = httpClient(await ledger.anotherApi());
});

afterAll(() => ledger?.stop());

let clients = 0;
let address: string;

/** Every test is another client. */
beforeEach(() => {
  clients += 1;
  address = `203.0.113.${clients}`;
});

const from = (http: HttpClient, client = address) => http.with({ 'x-forwarded-for': client });

async function send(
  count: number,
  request: (i: number) => Promise<HttpResponse>,
): Promise<Record<number, number>> {
  const byStatus: Record<number, number> = {};
  for (let i = 0; i < count; i += 1) {
    const { status } = await request(i);
    byStatus[status] = (byStatus[status] ?? 0) + 1;
  }
  return byStatus;
}

describe('A limited answer', () => {
  it('has the policy and what is left in the fields of the IETF draft, and no others', async () => {
    const answer = await from(a).get('/v1/accounts');
    expect(answer.headers.get('ratelimit-policy')).toBe(`"default";q=${LIMIT};w=60`);
    expect(answer.headers.get('ratelimit')).toMatch(new RegExp(`^"default";r=${LIMIT - 1};t=(60|[1-5]\\d)$`));
    expect([...answer.headers.keys()].filter((name) => /x-ratelimit|retry-after/.test(name))).toEqual([]);
  });

  it('is a 429 beyond the limit, with the policy and Retry-After', async () => {
    const beganAt = performance.now();
    expect(await send(LIMIT, () => from(a).get('/v1/accounts'))).toEqual({ 200: LIMIT });
    const answer = await from(a).get<ProblemDocument>('/v1/accounts');
    expect(answer.status).toBe(429);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      status: 429,
      code: 'quota-exceeded',
      'violated-policies': ['default'],
    });
    const seconds = Number(answer.headers.get('retry-after'));
    expect(seconds).toBeGreaterThanOrEqual(Math.floor(60 - (performance.now() - beganAt) / 1000));
    expect(seconds).toBeLessThanOrEqual(60);
    expect(answer.headers.get('ratelimit')).toBe(`"default";r=0;t=${seconds}`);
    expect(answer.headers.get('ratelimit-policy')).toBe(`"default";q=${LIMIT};w=60`);
  });
});

describe('The limit', () => {
  it('holds over two instances', async () => {
    const byStatus = await send(3 * LIMIT, (i) => from(i % 2 === 0 ? a : b).get('/v1/accounts'));
    expect(byStatus).toEqual({ 200: LIMIT, 429: 2 * LIMIT });
  });

  it('holds for concurrent requests', async () => {
    const answers = await Promise.all(
      Array.from({ length: 3 * LIMIT }, (_, i) => from(i % 2 === 0 ? a : b).get('/v1/accounts')),
    );
    const served = answers.filter(({ status }) => status === 200).length;
    expect(served).toBeGreaterThanOrEqual(LIMIT * 0.9);
    expect(served).toBeLessThanOrEqual(LIMIT);
  });

  it('is one for all routes of a caller', async () => {
    await send(LIMIT / 2, () => from(a).get('/v1/accounts'));
    await send(LIMIT / 2, () => from(a).get(`/v1/accounts/${crypto.randomUUID()}`));
    expect((await from(a).get('/v1/accounts')).status).toBe(429);
  });

  it('counts addresses separately, and an IPv6 /64 as one', async () => {
    expect(await send(LIMIT, (i) => from(a, `2001:db8:0:${clients}::${i + 1}`).get('/v1/accounts'))).toEqual({
      200: LIMIT,
    });
    expect((await from(a, `2001:db8:0:${clients}:ffff::1`).get('/v1/accounts')).status).toBe(429);
    expect((await from(a, `2001:db8:1:${clients}::1`).get('/v1/accounts')).status).toBe(200);
  });

  it('follows a user over addresses, and does not affect others behind the same address', async () => {
    const [ada, ben] = [await newUser(ledger), await newUser(ledger)];
    const byStatus = await send(LIMIT + 5, (i) => from(ada.http, `192.0.2.${i}`).get('/v1/users/me'));
    expect(byStatus).toEqual({ 200: LIMIT, 429: 5 });
    expect((await from(ben.http, '192.0.2.1').get('/v1/users/me')).status).toBe(200);
  });

  it('counts requests with invalid tokens against the address, without affecting valid ones', async () => {
    const { http } = await newUser(ledger);
    const byStatus = await send(LIMIT + 10, () => from(a).as('nonsense').get('/v1/users/me'));
    expect(byStatus).toEqual({ 401: LIMIT, 429: 10 });
    expect((await from(http).get('/v1/users/me')).status).toBe(200);
  });

  it('counts forbidden requests against the user', async () => {
    const { http } = await newUser(ledger);
    const byStatus = await send(LIMIT + 5, () => from(http).get('/v1/users'));
    expect(byStatus).toEqual({ 403: LIMIT, 429: 5 });
    expect((await from(http).get('/v1/users/me')).status).toBe(429);
  });
});

describe('While Redis is frozen', () => {
  it('each instance applies the limit by itself, without long waits', async () => {
    const timeoutMs = 5000;
    const alone = await startLedger({
      RATE_LIMIT_REQUESTS: String(LIMIT),
      REDIS_COMMAND_TIMEOUT_MS: String(timeoutMs),
    });
    alone.redis.freeze();
    try {
      const answers: HttpResponse[] = [];
      for (let i = 0; i < LIMIT + 5; i += 1) answers.push(await alone.http.get('/v1/accounts'));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(LIMIT);
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(5);
      const slow = answers.filter(({ durationMs }) => durationMs > timeoutMs - 100);
      expect(slow.length).toBeLessThanOrEqual(2);
    } finally {
      alone.redis.thaw();
      await alone.stop();
    }
  });
});

describe('Switched off', () => {
  it('counts nothing and sends no fields', async () => {
    const unlimited = await startLedger({ RATE_LIMIT_ENABLED: 'false', RATE_LIMIT_REQUESTS: '2' });
    try {
      const answers = await Promise.all(Array.from({ length: 5 }, () => unlimited.http.get('/v1/accounts')));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
      expect(answers[0]?.headers.get('ratelimit')).toBeNull();
    } finally {
      await unlimited.stop();
    }
  });
});

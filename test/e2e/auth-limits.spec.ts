import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpResponse } from '../../local/http.ts';
import { startLedger, type LedgerUnderTest } from '../specimen/ledger-under-test.ts';

interface Problem {
  code: string;
  type: string;
}

const PASSWORD = 'correct horse battery staple';
const LIMITS = { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_REQUESTS: '1000000', AUTH_LOGIN_MAX_FAILURES: '3' };

async function account(ledger: LedgerUnderTest): Promise<string> {
  const email = `${randomUUID()}@example.com`;
  await ledger.http.post('/v1/auth/register', { email, password: PASSWORD, name: 'Ada' });
  return email;
}

function login(
  ledger: LedgerUnderTest,
  email: string,
  password: string,
  address: string,
): Promise<HttpResponse<Problem>> {
  return ledger.http.with({ 'x-forwarded-for': address }).post('/v1/auth/login', { email, password });
}

describe('repeated login failures', () => {
  let ledger: LedgerUnderTest;

  beforeAll(async () => {
    // The test plays the proxy in front.
    ledger = await startLedger({ ...LIMITS, TRUST_PROXY: '127.0.0.0/8' });
  });

  afterAll(() => ledger?.stop());

  it('are answered 429 with the time to wait, even with the correct password', async () => {
    const email = await account(ledger);
    for (let i = 0; i < 3; i++) expect((await login(ledger, email, 'wrong', '192.0.2.1')).status).toBe(401);
    const { status, body, headers } = await login(ledger, email, PASSWORD, '192.0.2.1');
    expect([status, body.code]).toEqual([429, 'quota-exceeded']);
    expect(body.type).toBe('https://iana.org/assignments/http-problem-types#quota-exceeded');
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(800);
    expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(900);
  });

  it('do not lock out the owner of the account at another address', async () => {
    const email = await account(ledger);
    for (let i = 0; i < 5; i++) await login(ledger, email, 'wrong', '192.0.2.2');
    expect((await login(ledger, email, PASSWORD, '192.0.2.3')).status).toBe(200);
  });

  it('count for an unknown account too', async () => {
    const email = `${randomUUID()}@example.com`;
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await login(ledger, email, 'wrong', '192.0.2.4')).status);
    expect(statuses).toEqual([401, 401, 401, 429]);
  });

  it('allow no more attempts when made concurrently', async () => {
    const email = await account(ledger);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => login(ledger, email, `guess ${i}`, '192.0.2.5')),
    );
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(3);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(17);
  });

  it('do not block concurrent correct passwords forever', async () => {
    const email = await account(ledger);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => login(ledger, email, PASSWORD, '192.0.2.6')),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
  });

  it('are limited for many accounts from one address too', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 31; i++)
      statuses.push((await login(ledger, `${i}@example.net`, 'x', '192.0.2.7')).status);
    expect(statuses).toEqual([...Array<number>(30).fill(401), 429]);
  });
});

describe('registrations from one network', () => {
  let ledger: LedgerUnderTest;

  beforeAll(async () => {
    ledger = await startLedger({
      ...LIMITS,
      TRUST_PROXY: '127.0.0.0/8',
      AUTH_REGISTRATIONS_PER_NETWORK: '5',
      CPU_THREADS: '1',
    });
  });

  afterAll(() => ledger?.stop());

  const register = (address: string, email = `${randomUUID()}@example.com`) =>
    ledger.http
      .with({ 'x-forwarded-for': address })
      .post<Problem>('/v1/auth/register', { email, password: PASSWORD, name: 'Ada' });
  const statusesOf = async (answers: Promise<HttpResponse<unknown>>[]) =>
    (await Promise.all(answers)).map(({ status }) => status).toSorted((a, b) => a - b);

  it('are answered 429 with the time to wait', async () => {
    const answers = await statusesOf(Array.from({ length: 8 }, () => register('192.0.2.1')));
    expect(answers).toEqual([201, 201, 201, 201, 201, 429, 429, 429]);
    const { headers, body } = await register('192.0.2.1');
    expect(body.code).toBe('quota-exceeded');
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(3000);
    expect((await register('192.0.2.2')).status).toBe(201);
  });

  it('reveal only a few times whether an address has an account', async () => {
    const email = await account(ledger);
    const answers = await statusesOf(Array.from({ length: 8 }, () => register('192.0.2.3', email)));
    expect(answers).toEqual([409, 409, 409, 409, 409, 429, 429, 429]);
  });

  it('share one limit over the addresses of an IPv6 site', async () => {
    const answers: number[] = [];
    for (let i = 0; i < 30; i++) answers.push((await register(`2001:db8:1:${i.toString(16)}::1`)).status);
    expect(answers.filter((status) => status === 201)).toHaveLength(20);
  });

  it('from many networks at once do not delay logins', async () => {
    const email = await account(ledger);
    const flood = statusesOf(Array.from({ length: 120 }, (_, i) => register(`198.51.100.${i}`)));
    const logins = await statusesOf(
      Array.from({ length: 12 }, (_, i) => login(ledger, email, PASSWORD, `203.0.113.${i}`)),
    );
    expect(logins).toEqual(Array(12).fill(200));
    expect(new Set(await flood)).toEqual(new Set([201, 503]));
  });
});

describe('a forwarded address', () => {
  let ledger: LedgerUnderTest;

  beforeAll(async () => {
    ledger = await startLedger({ ...LIMITS, TRUST_PROXY: '127.0.0.0/8,10.0.0.0/8' });
  });

  afterAll(() => ledger?.stop());

  it.each([
    ['with a port', (i: number) => `192.0.2.1:${5000 + i}`],
    ['with a port, through a proxy with one', (i: number) => `192.0.2.2:${5000 + i}, 10.0.0.1:${6000 + i}`],
    ['of IPv6 in brackets with a port', (i: number) => `[2001:db8::1]:${5000 + i}`],
  ])('%s counts as one address, whatever the port', async (_, addressOf) => {
    const email = await account(ledger);
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await login(ledger, email, 'wrong', addressOf(i))).status);
    expect(statuses).toEqual([401, 401, 401, 429]);
    expect((await login(ledger, email, PASSWORD, '198.51.100.1:5000')).status).toBe(200);
  });

  it.each(['fe80::1%eth0', '[fe80::2%eth0]:4711', 'fe80::3%25en0'])(
    'with a zone, %s, can log in',
    async (address) => {
      const email = await account(ledger);
      expect((await login(ledger, email, PASSWORD, address)).status).toBe(200);
    },
  );
});

describe('a forwarded address from an untrusted peer', () => {
  let ledger: LedgerUnderTest;

  beforeAll(async () => {
    ledger = await startLedger(LIMITS);
  });

  afterAll(() => ledger?.stop());

  it('does not bypass the limit', async () => {
    const email = await account(ledger);
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) statuses.push((await login(ledger, email, 'wrong', `192.0.2.${i}`)).status);
    expect(statuses).toEqual([401, 401, 401, 429]);
  });
});

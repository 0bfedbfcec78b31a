import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../../support/raw-client.js';
import { startLedger, type LedgerUnderTest } from '../../specimen/ledger-under-test.js';
import { newAccount } from '../../factories/accounts.js';
import { newUser, type TestUser } from '../../factories/users.js';

let ledger: LedgerUnderTest;
let ada: TestUser;
let from: string;
let to: string;
const clients: RawClient[] = [];

async function open(): Promise<RawClient> {
  const client = await RawClient.open(ledger.url);
  clients.push(client);
  return client;
}

function transfer(...headers: string[]): string {
  const body = JSON.stringify({ from, parts: [{ to, amount: 1 }] });
  return [
    'POST /v1/transfers HTTP/1.1',
    'Host: here',
    `Authorization: Bearer ${ada.accessToken}`,
    `Idempotency-Key: ${randomUUID()}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    ...headers,
    '',
    body,
  ].join('\r\n');
}

beforeAll(async () => {
  ledger = await startLedger();
  ada = await newUser(ledger);
  [from, to] = [await newAccount(ada, 100), await newAccount(ada, 0)];
});
afterAll(() => ledger?.stop());
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

// Not from the api, whose cache may be older for a moment.
const balance = async () =>
  (await ledger.sql<{ balance: number }>('SELECT balance FROM accounts WHERE id = $1', [from]))[0]?.balance ??
  NaN;

describe('A transfer that takes effect is answered 201, and the connection is closed,', () => {
  it.each([
    ['when more bytes follow its `Connection: close`', ['Connection: close'], 'more'],
    [
      'when another request follows its `Connection: close`',
      ['Connection: close'],
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    ],
    ['when bytes that are not HTTP follow', [], 'NONSENSE\0\r\n\r\n'],
    ['when headers that are too large follow', [], `GET / HTTP/1.1\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`],
    ['when a CONNECT follows', [], 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n'],
  ])('%s', async (_, headers, more) => {
    const before = await balance();
    const client = (await open()).send(transfer(...headers) + more);

    const answers = await client.ended();

    expect(answers.map(({ status }) => status)).toEqual([201]);
    expect(await balance()).toBe(before - 1);
  });

  it('a request with a malformed body, which is answered 400 in its turn', async () => {
    const malformed = [
      'POST /v1/auth/login HTTP/1.1',
      'Host: here',
      'Content-Type: application/json',
      'Transfer-Encoding: chunked',
      '',
      'zz\r\n',
    ].join('\r\n');
    const client = (await open()).send(transfer() + malformed);

    const answers = await client.ended();

    expect(answers.map(({ status }) => status)).toEqual([201, 400]);
    expect(JSON.parse(answers[1]?.body ?? '')).toMatchObject({ code: 'malformed-request' });
  });
});

describe('A request to CONNECT', () => {
  it('is answered 400, and the connection is closed', async () => {
    const client = (await open()).send('CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n');

    expect((await client.ended()).map(({ status }) => status)).toEqual([400]);
  });
});

import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../../support/raw-client.js';
import { waitFor } from '../../../local/wait-for.js';
import { startLedger, type LedgerUnderTest } from '../../specimen/ledger-under-test.js';
import { newAccount } from '../../factories/accounts.js';
import { newUser, type TestUser } from '../../factories/users.js';

let ledger: LedgerUnderTest;
let ada: TestUser;
let from: string;
let to: string;
/** Holds locks, so that what the api does for a request waits for it. */
let blocker: pg.Client;
const clients: RawClient[] = [];

async function open(): Promise<RawClient> {
  const client = await RawClient.open(ledger.url);
  clients.push(client);
  return client;
}

function request(method: string, path: string, body: object): string {
  const text = JSON.stringify(body);
  return [
    `${method} ${path} HTTP/1.1`,
    'Host: here',
    `Authorization: Bearer ${ada.accessToken}`,
    `Idempotency-Key: ${randomUUID()}`,
    'Content-Type: application/json',
    `Content-Length: ${text.length}`,
    '',
    text,
  ].join('\r\n');
}

const waiting = async (): Promise<number> => {
  const [row] = await ledger.sql<{ count: number }>(
    `SELECT count(*)::int AS count FROM pg_stat_activity WHERE wait_event_type = 'Lock'`,
  );
  return row?.count ?? 0;
};

beforeAll(async () => {
  ledger = await startLedger();
  ada = await newUser(ledger);
  [from, to] = [await newAccount(ada, 100), await newAccount(ada, 0)];
  blocker = new pg.Client(ledger.settings.database.url);
  await blocker.connect();
});
afterAll(async () => {
  await blocker?.end();
  await ledger?.stop();
});
afterEach(async () => {
  await blocker.query('ROLLBACK');
  for (const client of clients.splice(0)) client.close();
});

const transfer = () => request('POST', '/v1/transfers', { from, parts: [{ to, amount: 1 }] });
// Not from the api, whose cache may be older for a moment.
const balance = async () =>
  (await ledger.sql<{ balance: number }>('SELECT balance FROM accounts WHERE id = $1', [from]))[0]?.balance ??
  NaN;

describe('When its client disconnects, by', () => {
  const leaving: [how: string, leave: (client: RawClient) => void][] = [
    ['reset', (client) => client.reset()],
    ['close', (client) => client.close()],
  ];

  it.each(leaving)('%s, the statement of a POST is cancelled', async (_, leave) => {
    await blocker.query('BEGIN');
    await blocker.query('SELECT 1 FROM accounts WHERE id = $1 FOR UPDATE', [from]);
    const client = (await open()).send(transfer());
    await waitFor(async () => (await waiting()) === 1, { what: 'a statement that waits' });

    leave(client);

    await waitFor(async () => (await waiting()) === 0, { what: 'the end of the statement' });
  });

  it.each(leaving)('%s, the statement of a PATCH is cancelled', async (_, leave) => {
    await blocker.query('BEGIN');
    await blocker.query('SELECT 1 FROM users WHERE id = $1 FOR UPDATE', [ada.userId]);
    const client = (await open()).send(request('PATCH', '/v1/users/me', { name: 'Another' }));
    await waitFor(async () => (await waiting()) === 1, { what: 'a statement that waits' });

    leave(client);

    await waitFor(async () => (await waiting()) === 0, { what: 'the end of the statement' });
  });

  it.each(leaving)(
    '%s, the requests that wait behind it on its connection are not begun',
    async (_, leave) => {
      const before = await balance();
      await blocker.query('BEGIN');
      await blocker.query('SELECT 1 FROM accounts WHERE id = $1 FOR UPDATE', [from]);
      const client = (await open()).send(transfer() + transfer() + transfer());
      await waitFor(async () => (await waiting()) === 1, { what: 'a statement that waits' });

      leave(client);

      await waitFor(async () => (await waiting()) === 0, { what: 'the end of the statement' });
      await blocker.query('ROLLBACK');
      expect(await balance()).toBe(before);
    },
  );
});

describe('A keep-alive connection', () => {
  it('cancels nothing between its requests, one after another or at once', async () => {
    const before = await balance();
    const client = await open();
    for (let n = 1; n <= 5; n += 1) await client.send(transfer()).receives(n);
    client.send(transfer() + transfer() + request('PATCH', '/v1/users/me', { name: 'A third' }));

    const answers = await client.receives(8);

    expect(answers.map(({ status }) => status)).toEqual([...Array<number>(7).fill(201), 200]);
    expect(await balance()).toBe(before - 7);
  });

  it('gets the answer to a body that arrives in pieces', async () => {
    const client = await open();
    const whole = transfer();
    for (let at = 0; at < whole.length; at += 50) {
      client.send(whole.slice(at, at + 50));
      await new Promise((resolve) => setImmediate(resolve));
    }

    expect((await client.receives(1))[0]?.status).toBe(201);
  });
});

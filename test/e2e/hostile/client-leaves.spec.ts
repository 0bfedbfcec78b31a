import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../../support/raw-client.js';
import { waitFor } from '../../../local/wait-for.js';
import { openShop, type Customer, type Shop } from '../shop.js';

let shop: Shop;
let customer: Customer;
let productId: string;
/** Holds locks, so that what the api does for a request waits for it. */
let blocker: pg.Client;
const clients: RawClient[] = [];

async function open(): Promise<RawClient> {
  const client = await RawClient.open(shop.url);
  clients.push(client);
  return client;
}

function request(method: string, path: string, body: object): string {
  const text = JSON.stringify(body);
  return [
    `${method} ${path} HTTP/1.1`,
    'Host: here',
    `Authorization: Bearer ${customer.accessToken}`,
    `Idempotency-Key: ${randomUUID()}`,
    'Content-Type: application/json',
    `Content-Length: ${text.length}`,
    '',
    text,
  ].join('\r\n');
}

const waiting = async (): Promise<number> => {
  const [row] = await shop.sql<{ count: number }>(
    `SELECT count(*)::int AS count FROM pg_stat_activity WHERE wait_event_type = 'Lock'`,
  );
  return row?.count ?? 0;
};

beforeAll(async () => {
  shop = await openShop();
  customer = await shop.newCustomer();
  productId = await shop.newProduct({ stock: 100 });
  blocker = new pg.Client(shop.settings.database.url);
  await blocker.connect();
});
afterAll(async () => {
  await blocker?.end();
  await shop?.close();
});
afterEach(async () => {
  await blocker.query('ROLLBACK');
  for (const client of clients.splice(0)) client.close();
});

const order = () => request('POST', '/v1/orders', { items: [{ productId, quantity: 1 }] });

describe('When its client leaves, by', () => {
  const leaving: [how: string, leave: (client: RawClient) => void][] = [
    ['reset', (client) => client.reset()],
    ['close', (client) => client.close()],
  ];

  it.each(leaving)('%s, the statement of a POST is cancelled', async (_, leave) => {
    await blocker.query('BEGIN');
    await blocker.query('SELECT 1 FROM products WHERE id = $1 FOR UPDATE', [productId]);
    const client = (await open()).send(order());
    await waitFor(async () => (await waiting()) === 1, { what: 'a statement that waits' });

    leave(client);

    await waitFor(async () => (await waiting()) === 0, { what: 'the end of the statement' });
  });

  it.each(leaving)('%s, the statement of a PATCH is cancelled', async (_, leave) => {
    await blocker.query('BEGIN');
    await blocker.query('SELECT 1 FROM users WHERE id = $1 FOR UPDATE', [customer.userId]);
    const client = (await open()).send(request('PATCH', '/v1/users/me', { name: 'Another' }));
    await waitFor(async () => (await waiting()) === 1, { what: 'a statement that waits' });

    leave(client);

    await waitFor(async () => (await waiting()) === 0, { what: 'the end of the statement' });
  });

  it.each(leaving)('%s, the statements of all requests on its connection are cancelled', async (_, leave) => {
    await blocker.query('BEGIN');
    await blocker.query('SELECT 1 FROM products WHERE id = $1 FOR UPDATE', [productId]);
    const client = (await open()).send(order() + order() + order());
    await waitFor(async () => (await waiting()) === 3, { what: 'three statements that wait' });

    leave(client);

    await waitFor(async () => (await waiting()) === 0, { what: 'the end of the statements' });
  });
});

describe('A connection that is kept', () => {
  it('cancels nothing between its requests, one after another or at once', async () => {
    const stock = await shop.stockOf(productId);
    const client = await open();
    for (let n = 1; n <= 5; n += 1) await client.send(order()).receives(n);
    client.send(order() + order() + request('PATCH', '/v1/users/me', { name: 'A third' }));

    const answers = await client.receives(8);

    expect(answers.map(({ status }) => status)).toEqual([...Array<number>(7).fill(201), 200]);
    expect(await shop.stockOf(productId)).toBe(stock - 7);
  });

  it('gets the answer to a body that comes in pieces', async () => {
    const client = await open();
    const whole = order();
    for (let at = 0; at < whole.length; at += 50) {
      client.send(whole.slice(at, at + 50));
      await new Promise((resolve) => setImmediate(resolve));
    }

    expect((await client.receives(1))[0]?.status).toBe(201);
  });
});

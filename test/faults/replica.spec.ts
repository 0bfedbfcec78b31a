import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPostgres } from '../support/servers/postgres.ts';
import type { PostgresServer } from '../support/servers/postgres.ts';
import { runCli } from '../support/processes.ts';
import { openCounter, type Counter } from './counter.ts';

describe('a read replica', () => {
  let counter: Counter;
  let replica: PostgresServer;

  beforeAll(async () => {
    // A second server with the same schema and no rows: what is read from it shows where it was read.
    replica = await startPostgres();
    await runCli(['migrate'], { DATABASE_URL: replica.url() });
    counter = await openCounter({ worker: false, env: { DATABASE_REPLICA_URLS: replica.url() } });
  });
  afterAll(async () => {
    await counter?.close();
    await replica?.stop();
  });

  it('takes the reads that tolerate lag, and the primary takes them when it is away', async () => {
    await placeOn(counter);
    const products = (limit: number) => counter.http.get<{ data: unknown[] }>(`/v1/products?limit=${limit}`);
    expect((await products(10)).body.data).toEqual([]);

    await replica.kill();
    const answer = await products(11);
    expect(answer.status).toBe(200);
    expect(answer.body.data).toHaveLength(11);
    expect((await counter.ready()).status).toBe(200);
    await placeOn(counter);
  });
});

/** The catalogue is read from the replica, which is empty: the product to order is looked up on the primary. */
async function placeOn({ stack, http }: Counter): Promise<void> {
  const client = new pg.Client({ connectionString: stack.postgres.url() });
  await client.connect();
  const { rows } = await client.query<{ id: string }>('SELECT id FROM products LIMIT 1');
  await client.end();
  const items = [{ productId: rows[0]?.id, quantity: 1 }];
  const order = await http.post('/v1/orders', { items }, { headers: { 'Idempotency-Key': randomUUID() } });
  expect(order.status).toBe(201);
}

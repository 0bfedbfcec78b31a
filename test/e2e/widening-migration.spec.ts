import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../local/wait-for.ts';
import { openShop, type Shop } from './shop.ts';

describe('a migration that widens columns while the shop is open', () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop({ RATE_LIMIT_REQUESTS: '1000000' });
  });
  afterAll(() => shop?.close());

  it('is noticed by nobody', async () => {
    const customer = await shop.newCustomer();
    const admin = await shop.newAdmin();
    const productId = await shop.newProduct({ stock: 1_000_000 });
    const statuses = new Map<string, number>();
    let answered = 0;
    let ordered = 0;
    let open = true;
    const note = (what: string, status: number): void => {
      answered += 1;
      const line = `${what} ${status}`;
      statuses.set(line, (statuses.get(line) ?? 0) + 1);
    };
    const visit = async (): Promise<void> => {
      while (open) {
        const order = await customer.http.post<{ id: string }>(
          '/v1/orders',
          { items: [{ productId, quantity: 1 }] },
          { headers: { 'Idempotency-Key': randomUUID() } },
        );
        if (order.status === 201) ordered += 1;
        note('order', order.status);
        note('its status', (await customer.http.get(`/v1/orders/${order.body.id}`)).status);
        note('the list', (await admin.http.get('/v1/orders?limit=5')).status);
        note('the catalogue', (await shop.http.get(`/v1/products?limit=${1 + (ordered % 50)}`)).status);
      }
    };
    const visitors = Array.from({ length: 6 }, visit);
    const more = async (): Promise<void> => {
      const before = answered;
      await waitFor(() => answered > before + 60, { within: 30_000, what: 'traffic' });
    };
    try {
      await more();
      for (const type of ['bigint', 'integer', 'bigint']) {
        await shop.sql(
          `ALTER TABLE products ALTER COLUMN stock TYPE ${type}, ALTER COLUMN version TYPE ${type}`,
        );
        await more();
      }
    } finally {
      open = false;
      await Promise.allSettled(visitors);
    }
    expect([...statuses.keys()].toSorted()).toEqual([
      'its status 200',
      'order 201',
      'the catalogue 200',
      'the list 200',
    ]);
    expect(await shop.stockOf(productId)).toBe(1_000_000 - ordered);
  });
});

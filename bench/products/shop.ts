import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { bearing } from '../../local/requests.ts';
import { addUsers, idsOf, settle, withoutForeignKeys } from '../testbed/fill.ts';
import type { Subject } from '../subject.ts';

const TABLES = ['users', 'products', 'orders', 'order_items'];
const ORDERS = '/v1/orders';

/** The example features. */
export const shop: Subject = {
  name: 'shop',
  plaintext: ['SMTP_URL', 'PAYMENT_PROVIDER_URL'],
  bare: 'bare/server.ts',

  fill: async (sql, { callers, things, records }) => {
    await withoutForeignKeys(sql);
    await addUsers(sql, callers);
    await sql.query(
      `INSERT INTO products (id, name, description, price_amount, currency, stock)
       SELECT uuidv7(), 'Product ' || n, repeat('What it is good for, in a sentence. ', 5), 1000 + n, 'EUR', 2000000000
       FROM generate_series(1, $1::int) n`,
      [things],
    );
    await addOrders(sql, records, 2);
    return {
      callers: await idsOf(sql, 'SELECT id FROM users ORDER BY id'),
      things: await idsOf(sql, 'SELECT id FROM products ORDER BY id'),
    };
  },
  addRecords: (sql, records, plain) => addOrders(sql, records, plain ? 0 : 2),
  records: { table: 'orders', owner: 'user_id' },

  read: {
    name: 'order-read',
    title: 'Authenticated read of one order by its id',
    request: (id, token) => ({ method: 'GET', path: `${ORDERS}/${id}`, headers: bearing(token) }),
  },
  list: {
    name: 'order-list',
    title: 'Authenticated list of orders, 20 per page',
    request: page,
  },
  listAll: page,
  readPlain: {
    name: 'plain-read',
    title: 'Authenticated read by key through an injected repository, in a plain feature',
    bare: 'bare/plain-feature.mjs',
    fill: async (sql) => {
      const { rows } = await sql.query<{ id: string; caller: string }>(
        `INSERT INTO addresses (id, user_id, recipient, street, postal_code, city, country, version)
         SELECT uuidv7(), id, name, 'Long Street 1', '12345', 'Springfield', 'US', 1 FROM users
         RETURNING id, user_id AS caller`,
      );
      await sql.query('VACUUM (ANALYZE) addresses');
      return rows;
    },
    request: (id, token) => ({ method: 'GET', path: `/v1/addresses/${id}`, headers: bearing(token) }),
  },
  readCached: {
    name: 'product-read',
    title: 'Cached read of a product; bare reads it from PostgreSQL',
    request: (id) => ({ method: 'GET', path: `/v1/products/${id}` }),
  },
  write: {
    name: 'order-place',
    title: 'Place an order: idempotency record, stock, order, items and outbox in one transaction',
    request: ({ token }, index, products, parts) => ({
      method: 'POST',
      path: ORDERS,
      headers: bearing(token),
      idempotencyKey: true,
      body: {
        // Two products of an order are never the same.
        items: Array.from({ length: parts }, (_, line) => ({
          productId: products[(index * 7 + line * 211) % products.length],
          quantity: 1,
        })),
      },
    }),
  },

  mail: {
    nameOf: (orderId) => orderId.slice(-8),
    event: {
      name: 'order.placed',
      consumer: 'notifications',
      payload: (userId) => ({ orderId: randomUUID(), userId, amount: 4200, currency: 'EUR' }),
    },
    table: 'notifications',
  },
  exports: { path: '/v1/exports', body: (to) => ({ type: 'orders', to: to?.toISOString() }) },
};

function page(token: string, cursor?: string): ReturnType<Subject['list']['request']> {
  const path = `${ORDERS}?limit=20${cursor ? `&cursor=${cursor}` : ''}`;
  return { method: 'GET', path, headers: bearing(token) };
}

/** A statement per table: a million orders, each of two items, in some ten seconds. */
async function addOrders(sql: pg.Client, orders: number, itemsEach: number): Promise<void> {
  if (orders > 0) {
    await sql.query(
      `WITH placed AS (
         INSERT INTO orders (id, user_id, status, item_count, total_amount, currency)
         SELECT uuidv7(), ids[1 + n % cardinality(ids)], 'pending', $2::int, 4200, 'EUR'
         FROM (SELECT array_agg(id ORDER BY id) AS ids FROM users) AS everybody, generate_series(1, $1::int) n
         RETURNING id
       )
       INSERT INTO order_items (order_id, line, product_id, name, quantity, unit_price)
       SELECT placed.id, line, p.id, p.name, 1, 2100
       FROM (SELECT array_agg(id ORDER BY id) AS ids FROM products) AS everything
         CROSS JOIN placed CROSS JOIN generate_series(1, $2::int) line
         JOIN products p ON p.id = ids[1 + (hashtext(placed.id::text) & 65535) * line % cardinality(ids)]`,
      [orders, itemsEach],
    );
  }
  await settle(sql, TABLES);
}

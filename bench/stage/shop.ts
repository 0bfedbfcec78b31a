import { argon2Sync, randomBytes } from 'node:crypto';
import type pg from 'pg';

/** Of every account here. */
export const PASSWORD = 'correct horse battery staple';

export interface ShopOptions {
  customers: number;
  products: number;
  /** Over all customers, in turn. */
  orders: number;
}

/** Ids of the rows, each kind in the order of creation. */
export interface Shop {
  customers: string[];
  products: string[];
}

/** Fills an empty database by a statement per table: a million orders, each of two items, in some ten seconds. */
export async function fillShop(sql: pg.Client, { customers, products, orders }: ShopOptions): Promise<Shop> {
  // For the session: rows that are made here need no check of their foreign keys.
  await sql.query(`SET session_replication_role = 'replica'`);
  await sql.query(
    `INSERT INTO users (id, email, name, password_hash)
     SELECT uuidv7(), 'customer-' || n || '@example.com', 'Customer ' || n, $2 FROM generate_series(1, $1::int) n`,
    [customers, passwordHash()],
  );
  await sql.query(
    `INSERT INTO products (id, name, description, price_amount, currency, stock)
     SELECT uuidv7(), 'Product ' || n, repeat('What it is good for, in a sentence. ', 5), 1000 + n, 'EUR', 2000000000
     FROM generate_series(1, $1::int) n`,
    [products],
  );
  await addOrders(sql, orders);
  return {
    customers: await idsOf(sql, 'SELECT id FROM users ORDER BY id'),
    products: await idsOf(sql, 'SELECT id FROM products ORDER BY id'),
  };
}

/** Adds orders from the customers in turn. */
export async function addOrders(sql: pg.Client, orders: number, itemsEach = 2): Promise<void> {
  if (orders === 0) return;
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
  await settle(sql);
}

/** Finishes the work that follows loading before anything is measured: statistics, visibility map, dirty pages. */
export async function settle(sql: pg.Client): Promise<void> {
  await sql.query('VACUUM (ANALYZE) users, products, orders, order_items, outbox_events, inbox');
  await sql.query('CHECKPOINT');
}

export async function idsOf(sql: pg.Client, query: string, values: unknown[] = []): Promise<string[]> {
  const { rows } = await sql.query<{ id: string }>(query, values);
  return rows.map(({ id }) => id);
}

/** One hash for all of them: it only has to match. Parameters: src/modules/users/password-hash.ts. */
function passwordHash(): string {
  const nonce = randomBytes(16);
  const tag = argon2Sync('argon2id', {
    message: Buffer.from(PASSWORD),
    nonce,
    memory: 19_456,
    passes: 2,
    parallelism: 1,
    tagLength: 32,
  });
  const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=19456,t=2,p=1$${base64(nonce)}$${base64(tag)}`;
}

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  exportStatement,
  OrderExportRepository,
  type OrderExportRow,
} from '../../src/modules/orders/order-export.repository.js';
import { OrdersRepository } from '../../src/modules/orders/orders.repository.js';
import { newId } from '../../src/platform/database/index.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';
import { waitFor } from '../../local/wait-for.js';
import { newUserRow } from '../factories/users.js';

let db: TestDatabase;
let orders: OrdersRepository;
let exported: OrderExportRepository;
let productId: string;

beforeAll(async () => {
  db = await openTestDatabase();
  orders = new OrdersRepository(db.database);
  exported = new OrderExportRepository(db.pool);
  productId = newId();
  await db.database.execute({
    text: `INSERT INTO products (id, name, description, price_amount, currency, stock)
           VALUES ($1, 'Chair', '', 1990, 'EUR', 1000)`,
    values: [productId],
  });
}, 60_000);

afterAll(() => db.close());

// No test may leave a connection behind that is still in use.
afterEach(async () => {
  await waitFor(() => db.database.poolState.total === db.database.poolState.idle, {
    what: 'all connections given back',
  });
});

async function addOrder(userId: string, quantity = 1): Promise<string> {
  const id = newId();
  const items = [{ productId, name: 'Chair', quantity, unitPrice: 1990 }];
  await orders.insert({ id, userId, totalAmount: 1990 * quantity, currency: 'EUR', items });
  return id;
}

async function addManyOrders(userId: string, count: number): Promise<void> {
  await db.database.execute({
    text: `INSERT INTO orders (id, user_id, status, item_count, total_amount, currency)
           SELECT uuidv7(), $1, 'paid', 1, n, 'EUR' FROM generate_series(1, $2::int) n`,
    values: [userId, count],
  });
}

async function collect(
  batches: AsyncIterable<OrderExportRow[]>,
): Promise<{ sizes: number[]; rows: OrderExportRow[] }> {
  const sizes: number[] = [];
  const rows: OrderExportRow[] = [];
  for await (const batch of batches) {
    sizes.push(batch.length);
    rows.push(...batch);
  }
  return { sizes, rows };
}

describe('An order', () => {
  it('is read as it was placed, with its items in order', async () => {
    const userId = await newUserRow(db.database);
    const id = newId();
    const items = ['Chair, "oak"', 'Chair {b}', "Chair 'c'"].map((name, index) => ({
      productId,
      name,
      quantity: index + 1,
      unitPrice: 9_007_199_254_740,
    }));
    const createdAt = await orders.insert({
      id,
      userId,
      totalAmount: 9_007_199_254_740_991,
      currency: 'EUR',
      items,
    });

    expect(await orders.findById(id)).toEqual({
      id,
      userId,
      status: 'pending',
      totalAmount: 9_007_199_254_740_991,
      currency: 'EUR',
      createdAt,
      updatedAt: createdAt,
      items,
    });
    expect(await orders.findById(newId())).toBeUndefined();
  });

  it('does not exist when one of its items is invalid', async () => {
    const id = newId();
    const items = [
      { productId, name: 'Chair', quantity: 1, unitPrice: 1 },
      { productId: newId(), name: 'Ghost', quantity: 1, unitPrice: 1 },
    ];
    await expect(
      orders.insert({ id, userId: await newUserRow(db.database), totalAmount: 2, currency: 'EUR', items }),
    ).rejects.toMatchObject({ constraint: 'order_items_product_id_fkey' });

    expect(await orders.findById(id)).toBeUndefined();
  });

  it('is locked until the unit of work ends', async () => {
    const id = await addOrder(await newUserRow(db.database));
    let second: Promise<unknown> | undefined;
    await db.unitOfWork.run(async () => {
      await orders.lock(id);
      const other = new OrdersRepository((await db.anotherRoom()).database);
      second = other.setStatus(id, 'cancelled');
      await orders.setStatus(id, 'paid');
    });
    await second;

    expect((await orders.findById(id))?.status).toBe('cancelled');
  });

  it('reports which payment holds it', async () => {
    const id = await addOrder(await newUserRow(db.database));
    const paymentId = newId();
    await orders.setPayment(id, paymentId);
    expect((await orders.lock(id))?.paymentId).toBe(paymentId);
    await orders.setPayment(id, null);
    expect((await orders.lock(id))?.paymentId).toBeNull();
  });
});

describe('A list of orders', () => {
  it('has those of a customer, newest first, starting after the previous page', async () => {
    const userId = await newUserRow(db.database);
    const ids = await Promise.all(Array.from({ length: 5 }, () => addOrder(userId)));
    await addOrder(await newUserRow(db.database));

    const first = await orders.pageOfUser(userId, 3);
    const second = await orders.pageOfUser(userId, 3, first.at(-1)?.id);
    expect(first).toHaveLength(3);
    expect([...first, ...second].map(({ id }) => id)).toEqual(ids.toSorted().toReversed());
    expect(first[0]?.items).toEqual([{ productId, name: 'Chair', quantity: 1, unitPrice: 1990 }]);
  });

  it('has those of all users for an admin', async () => {
    const ids = [await addOrder(await newUserRow(db.database)), await addOrder(await newUserRow(db.database))]
      .toSorted()
      .toReversed();

    expect((await orders.page(2)).map(({ id }) => id)).toEqual(ids);
    expect((await orders.page(1, ids[0])).map(({ id }) => id)).toEqual([ids[1]]);
  });
});

describe('What requests wait for', () => {
  it.each<[string, string[], (repository: OrdersRepository) => Promise<unknown>]>([
    ['one order', ['orders_pkey', 'order_items_pkey'], (repository) => repository.findById(newId())],
    [
      'a page of a customer',
      ['orders_user_id_id_idx', 'order_items_pkey'],
      (repository) => repository.pageOfUser(newId(), 20),
    ],
    ['a page of all', ['orders_pkey', 'order_items_pkey'], (repository) => repository.page(20)],
  ])('%s is read by indexes alone, without sorting', async (_, indexes, read) => {
    await addManyOrders(await newUserRow(db.database), 3000);
    await db.database.execute({ text: 'ANALYZE orders, order_items' });
    const plan = await genericPlanOf(read);

    for (const index of indexes) expect(plan).toContain(index);
    expect(plan).not.toMatch(/Seq Scan|^\s*(-> )?Sort .*orders/m);
  });
});

describe('The export of orders', () => {
  it('has all rows of a customer, in batches, in the order of placement', async () => {
    const userId = await newUserRow(db.database);
    await addManyOrders(userId, 25);
    const { sizes, rows } = await collect(exported.rows({ userId }, 10));

    expect(sizes).toEqual([10, 10, 5]);
    expect(rows.map(({ orderId }) => orderId)).toEqual(rows.map(({ orderId }) => orderId).toSorted());
    expect(rows[0]).toEqual({
      orderId: expect.any(String) as string,
      userId,
      status: 'paid',
      itemCount: 1,
      totalAmount: 1,
      currency: 'EUR',
      createdAt: expect.any(Date) as Date,
    });
    expect(await exported.count({ userId })).toBe(25);
  });

  it('has no empty batch', async () => {
    const userId = await newUserRow(db.database);
    expect((await collect(exported.rows({ userId }, 10))).sizes).toEqual([]);
    await addManyOrders(userId, 20);
    expect((await collect(exported.rows({ userId }, 10))).sizes).toEqual([10, 10]);
  });

  it('selects orders of a period', async () => {
    const userId = await newUserRow(db.database);
    await addManyOrders(userId, 4);
    const times = ['09:00', '10:00', '11:00', '12:00'].map((time) => new Date(`2026-01-01T${time}:00Z`));
    await db.database.execute({
      text: `UPDATE orders SET created_at = t.at
             FROM unnest($2::timestamptz[]) WITH ORDINALITY AS t (at, n) WHERE user_id = $1 AND total_amount = t.n`,
      values: [userId, times],
    });
    const filter = { userId, from: times[1], to: times[3] };

    expect((await collect(exported.rows(filter, 10))).rows.map(({ totalAmount }) => totalAmount)).toEqual([
      2, 3,
    ]);
    expect(await exported.count(filter)).toBe(2);
  });

  it('shows one snapshot, regardless of new orders', async () => {
    const userId = await newUserRow(db.database);
    await addManyOrders(userId, 20);
    const seen: number[] = [];
    for await (const rows of exported.rows({ userId }, 10)) {
      await addManyOrders(userId, 5);
      seen.push(rows.length);
    }

    expect(seen).toEqual([10, 10]);
  });

  it('releases its connection when the reader stops early or fails', async () => {
    const userId = await newUserRow(db.database);
    await addManyOrders(userId, 30);
    for await (const rows of exported.rows({ userId }, 10)) {
      expect(rows).toHaveLength(10);
      break;
    }
    const failing = async () => {
      for await (const rows of exported.rows({ userId }, 10))
        throw new Error(`disk full after ${rows.length}`);
    };
    await expect(failing()).rejects.toThrow('disk full after 10');

    expect((await collect(exported.rows({ userId }, 100))).rows).toHaveLength(30);
  });

  it('fails with a transient error when its session is terminated, and leaves nothing behind', async () => {
    const userId = await newUserRow(db.database);
    await addManyOrders(userId, 20);
    const reading = async () => {
      for await (const rows of exported.rows({ userId }, 10)) {
        expect(rows).toHaveLength(10);
        await db.database.query({
          text: `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE state = 'idle in transaction' AND datname = current_database()`,
        });
      }
    };
    await expect(reading()).rejects.toMatchObject({ code: 'database-unavailable' });

    expect((await collect(exported.rows({ userId }, 100))).rows).toHaveLength(20);
  });

  it('reads the orders of a customer by the index, and those of all without sorting', async () => {
    const userId = await newUserRow(db.database);
    await addManyOrders(await newUserRow(db.database), 3000);
    await addManyOrders(userId, 10);
    await db.database.execute({ text: 'ANALYZE orders' });
    const [own, all] = [await planOf(exportStatement({ userId })), await planOf(exportStatement({}))];

    expect(own).toContain('Index Scan using orders_user_id_id_idx');
    expect(all).toContain('Index Scan using orders_pkey');
    expect(own + all).not.toContain('Sort');
  });
});

async function planOf({ text, values }: { text: string; values: unknown[] }): Promise<string> {
  const rows = await db.database.query<{ 'QUERY PLAN': string }>({ text: `EXPLAIN ${text}`, values });
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

/** The plan of a repository's statement as PostgreSQL keeps it for a prepared statement, whatever its parameters are. */
async function genericPlanOf(read: (repository: OrdersRepository) => Promise<unknown>): Promise<string> {
  let text = '';
  const recorder = (statement: { text: string }) => {
    text = statement.text;
    return Promise.resolve([]);
  };
  await read(new OrdersRepository({ query: recorder, queryOne: recorder, read: recorder } as never));
  return db.unitOfWork.run(async () => {
    await db.database.execute({ text: 'SET LOCAL enable_seqscan = off' });
    const rows = await db.database.query<{ 'QUERY PLAN': string }>({
      text: `EXPLAIN (GENERIC_PLAN) ${text}`,
    });
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  });
}

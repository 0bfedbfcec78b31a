import crypto from 'node:crypto';
import type pg from 'pg';
import { announce, findKey, insertOrder, lockKey, orderById, ordersOfUser } from './statements.ts';
import { recordAnswer, reserve } from './statements.ts';

interface OrderRow {
  id: string;
  userId: string;
  status: string;
  totalAmount: number;
  currency: string;
  createdAt: Date;
  updatedAt: Date;
  items: { productId: string; name: string; quantity: number; unitPrice: number }[];
}

const AFTER_ALL_IDS = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
const RETENTION_HOURS = 24;

export async function readOrder(pool: pg.Pool, id: string, userId: string): Promise<object | undefined> {
  const { rows } = await pool.query<OrderRow>({ ...orderById, values: [id] });
  const [row] = rows;
  return row && row.userId === userId ? present(row) : undefined;
}

export async function listOrders(pool: pg.Pool, userId: string, limit: number): Promise<object> {
  const { rows } = await pool.query<OrderRow>({
    ...ordersOfUser,
    values: [userId, AFTER_ALL_IDS, limit + 1],
  });
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last;
  return {
    data: shown.map(present),
    nextCursor: more ? Buffer.from(JSON.stringify([last.id])).toString('base64url') : null,
  };
}

export interface Placing {
  userId: string;
  key: string;
  body: { items: { productId: string; quantity: number }[] };
}

/** Places an order in one transaction. @returns the text of the answer, or undefined when the key is taken */
export async function placeOrder(pool: pg.Pool, placing: Placing): Promise<string | undefined> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const answer = await place(client, placing);
    await client.query(answer === undefined ? 'ROLLBACK' : 'COMMIT');
    return answer;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

async function place(client: pg.PoolClient, { userId, key, body }: Placing): Promise<string | undefined> {
  const scope = `${userId} POST /v1/orders`;
  const lock = await client.query<{ locked: boolean }>({ ...lockKey, values: [`${scope} ${key}`] });
  if (!lock.rows[0]?.locked) return undefined;
  const found = await client.query({ ...findKey, values: [scope, key] });
  if (found.rows.length > 0) return undefined;

  const { items } = body;
  const { rows: products } = await client.query<Reserved>({
    ...reserve,
    values: [items.map(({ productId }) => productId), items.map(({ quantity }) => quantity)],
  });
  const taken = items.map(({ productId, quantity }) => {
    const product = products.find(({ id }) => id === productId);
    if (!product || product.available < quantity) throw new Error('There is not enough in stock');
    return { productId, quantity, name: product.name, unitPrice: product.priceAmount };
  });
  const id = crypto.randomUUIDv7();
  const currency = products[0]?.currency ?? '';
  const amount = taken.reduce((sum, { unitPrice, quantity }) => sum + unitPrice * quantity, 0);
  const inserted = await client.query<{ createdAt: Date }>({
    ...insertOrder,
    values: [
      id,
      userId,
      amount,
      currency,
      taken.length,
      taken.map(({ productId }) => productId),
      taken.map(({ name }) => name),
      taken.map(({ quantity }) => quantity),
      taken.map(({ unitPrice }) => unitPrice),
    ],
  });
  const createdAt = inserted.rows[0]?.createdAt as Date;
  const payload = JSON.stringify({ orderId: id, userId, amount, currency });
  const event = [crypto.randomUUIDv7(), 'order.placed', ['notifications'], payload, id, null, null];
  await client.query({ ...announce, values: event });
  const answer = JSON.stringify(
    present({
      id,
      userId,
      status: 'pending',
      totalAmount: amount,
      currency,
      createdAt,
      updatedAt: createdAt,
      items: taken,
    }),
  );
  const fingerprint = crypto.hash('sha256', JSON.stringify(body), 'base64url');
  const headers = JSON.stringify({ Location: `/v1/orders/${id}` });
  await client.query({
    ...recordAnswer,
    values: [scope, key, fingerprint, 201, headers, answer, RETENTION_HOURS],
  });
  return answer;
}

interface Reserved {
  id: string;
  name: string;
  priceAmount: number;
  currency: string;
  available: number;
}

function present(row: OrderRow): { id: string } & Record<string, unknown> {
  const { currency } = row;
  return {
    id: row.id,
    status: row.status,
    items: row.items.map(({ productId, name, quantity, unitPrice }) => ({
      productId,
      name,
      quantity,
      unitPrice: { amount: unitPrice, currency },
    })),
    total: { amount: row.totalAmount, currency },
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

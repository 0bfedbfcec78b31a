import { leftHalfWay } from '../../clients/left-half-way.ts';
import type { Rig } from '../../rig.ts';
import { HOT_PRICE, worldOf, type OrderWrite, type PayWrite } from './world.ts';

export interface FinalOrder {
  id: string;
  userId: string;
  status: string;
  total: number;
  /** Of the hot product. */
  product: string;
  quantity: number;
  /** Names of the events that were announced for it. */
  events: string[];
}

/** What is stored at the end, beside what the clients know. */
export interface Final {
  products: { id: string; name: string; stock: number; version: number }[];
  orders: FinalOrder[];
  payments: { id: string; orderId: string; status: string; amount: number }[];
  charges: { key: string; amount: number; status: string; reference: string; times: number }[];
  exports: { id: string; userId: string; status: string }[];
  records: { key: string; status: number | null; body: string | null }[];
  /** Events that have to be mailed, and those of which a mail was kept. */
  toMail: string[];
  mails: string[];
  deadLetters: { name: string; reason: string }[];
  announced: number;
  hot: { id: string; name: string; stock: number }[];
  hotPrice: number;
  writes: (
    | Pick<OrderWrite, 'key' | 'kind' | 'settled' | 'product' | 'quantity' | 'number'>
    | Pick<PayWrite, 'key' | 'kind' | 'settled'>
  )[];
  forbidden: number[];
  secrets: string[];
}

type Known = 'charges' | 'mails' | 'hot' | 'hotPrice' | 'writes' | 'forbidden' | 'secrets';

export async function final(rig: Rig): Promise<Final> {
  const { hot, writes, forbidden, secrets } = worldOf(rig);
  const [rows, { charges, timesCharged }, mails] = await Promise.all([
    rig.truth.query<{ stored: Omit<Final, Known> }>(
      `SELECT json_build_object(
        'products', (SELECT json_agg(json_build_object('id', id, 'name', name, 'stock', stock, 'version', version))
          FROM products WHERE id = ANY ($1::uuid[])),
        'orders', (SELECT coalesce(json_agg(json_build_object('id', id, 'userId', user_id, 'status', status,
            'total', total_amount, 'product', item.product_id, 'quantity', item.quantity,
            'events', ARRAY(SELECT name FROM outbox_events WHERE payload->>'orderId' = orders.id::text))), '[]')
          FROM orders JOIN order_items AS item ON item.order_id = orders.id AND item.product_id = ANY ($1::uuid[])),
        'payments', (SELECT coalesce(json_agg(json_build_object('id', id, 'orderId', order_id, 'status', status, 'amount', amount)), '[]')
          FROM payments),
        'exports', (SELECT coalesce(json_agg(json_build_object('id', id, 'userId', user_id, 'status', status)), '[]') FROM exports),
        'records', (SELECT coalesce(json_agg(json_build_object('key', key, 'status', status, 'body', body)), '[]')
          FROM idempotency_records),
        'toMail', (SELECT coalesce(json_agg(id), '[]') FROM outbox_events WHERE 'notifications' = ANY (consumers)),
        'deadLetters', (SELECT coalesce(json_agg(json_build_object('name', name, 'reason', reason)), '[]') FROM dead_letters),
        'announced', (SELECT count(*) FROM outbox_events)
      ) AS stored`,
      [hot.map(({ id }) => id)],
    ),
    rig.provider.summary(),
    rig.truth.mails(),
  ]);
  return {
    ...rows[0]!.stored,
    charges: charges.map(({ idempotencyKey: key, amount, status, reference }) => {
      return { key, amount, status, reference, times: timesCharged[key] ?? 0 };
    }),
    mails: [...mails.keys()],
    hot: hot.map(({ id, name, stock }) => ({ id, name, stock })),
    hotPrice: HOT_PRICE,
    writes: writes.map((write) => {
      const { key, settled } = write;
      if (write.kind === 'pay') return { key, kind: write.kind, settled };
      const { kind, product, quantity, number } = write;
      return { key, kind, settled, product, quantity, number };
    }),
    forbidden,
    secrets,
  };
}

/** What is left half-way, in words. */
export async function unfinished(rig: Rig): Promise<string[]> {
  const counted = await rig.truth.query<{ what: string; count: string }>(`
    SELECT 'payments that are not settled' AS what, count(*) FROM payments WHERE status IN ('pending', 'unknown')
    UNION ALL SELECT 'exports that are not made', count(*) FROM exports WHERE status IN ('queued', 'running')
    UNION ALL SELECT 'mails that are not sent', count(*) FROM notifications WHERE status = 'pending'`);
  return [
    ...counted.filter(({ count }) => Number(count) > 0).map(({ what, count }) => `${count} ${what}`),
    ...(await leftHalfWay(rig)),
  ];
}

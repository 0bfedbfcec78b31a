import type { Bench } from '../harness/bench.ts';
import type { Side } from '../harness/rates.ts';
import { fillShop } from './shop.ts';
import type { Shop } from './shop.ts';
import type { Stage, StageOptions } from './stage.ts';

/** So many that none of them reaches the limit of requests that ships, at 40,000 requests a second between them. */
const CUSTOMERS = 4000;
const ORDERS_EACH = 25;
const PRODUCTS = 500;

export interface OpenShop {
  stage: Stage;
  shop: Shop;
  /** Holdfast's api, and the bare server on the same database. */
  sides: Side[];
  /** The customers' tokens, in no order. */
  callers: string[];
  /** An order of each customer with the token that may read it, in no order. */
  ordersOf: () => Promise<{ id: string; token: string }[]>;
}

/** What the workloads on the request path have in common: a shop with customers, and the two servers that it is read from. */
export async function openShop(bench: Bench, options: StageOptions = {}): Promise<OpenShop> {
  const stage = await bench.open(options);
  bench.say('filling tables');
  const shop = await fillShop(stage.sql, {
    customers: CUSTOMERS,
    products: PRODUCTS,
    orders: CUSTOMERS * ORDERS_EACH,
  });
  bench.say('starting both sides');
  const api = await stage.api();
  const bare = await stage.reference('bare/server.ts');
  const tokens = new Map(shop.customers.map((id) => [id, stage.tokens.of(id)]));
  return {
    stage,
    shop,
    callers: shuffled([...tokens.values()]),
    sides: [sideOf('holdfast', api), sideOf('bare', bare)],
    ordersOf: async () => {
      const { rows } = await stage.sql.query<{ id: string; user_id: string }>(
        'SELECT DISTINCT ON (user_id) id, user_id FROM orders ORDER BY user_id, id',
      );
      return shuffled(rows.map(({ id, user_id }) => ({ id, token: String(tokens.get(user_id)) })));
    },
  };
}

function sideOf(name: string, server: { url: string; readonly pid: number }): Side {
  return { name, url: server.url, pid: server.pid };
}

function shuffled<T>(values: T[]): T[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}

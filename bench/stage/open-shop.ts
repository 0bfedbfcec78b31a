import type { Bench } from '../harness/bench.ts';
import type { Side } from '../harness/rates.ts';
import { fillShop } from './shop.ts';
import type { Shop } from './shop.ts';
import type { Stage, StageOptions } from './stage.ts';

/** So many that none of them reaches the shipped rate limit, at 40,000 requests a second between them. */
const CUSTOMERS = 4000;
const ORDERS_EACH = 25;
const PRODUCTS = 500;

export interface OpenShop {
  stage: Stage;
  shop: Shop;
  api: Side & { managementUrl: string };
  /** The customers' tokens, in no order. */
  callers: string[];
  /** An order of each customer with the token that may read it, in no order. */
  ordersOf: () => Promise<{ id: string; token: string }[]>;
}

/** The same with the bare server on the same database. */
export interface BothSides extends OpenShop {
  sides: Side[];
}

/** The common part of workloads that compare with the bare server. */
export async function openBothSides(bench: Bench, options: StageOptions = {}): Promise<BothSides> {
  const open = await openShop(bench, options);
  const bare = await open.stage.reference('bare/server.ts');
  return { ...open, sides: [open.api, { name: 'bare', url: bare.url, pid: bare.pid }] };
}

/** The common part of workloads on the request path: a shop with customers, and an api. */
export async function openShop(bench: Bench, options: StageOptions = {}): Promise<OpenShop> {
  const stage = await bench.open(options);
  bench.say('filling tables');
  const shop = await fillShop(stage.sql, {
    customers: CUSTOMERS,
    products: PRODUCTS,
    orders: CUSTOMERS * ORDERS_EACH,
  });
  bench.say('starting the api');
  const { url, pid, managementUrl } = await stage.api();
  const tokens = new Map(shop.customers.map((id) => [id, stage.tokens.of(id)]));
  return {
    stage,
    shop,
    callers: shuffled([...tokens.values()]),
    api: { name: 'holdfast', url, pid, managementUrl },
    ordersOf: async () => {
      const { rows } = await stage.sql.query<{ id: string; user_id: string }>(
        'SELECT DISTINCT ON (user_id) id, user_id FROM orders ORDER BY user_id, id',
      );
      return shuffled(rows.map(({ id, user_id }) => ({ id, token: String(tokens.get(user_id)) })));
    },
  };
}

function shuffled<T>(values: T[]): T[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}

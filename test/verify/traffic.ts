import type { StreamPlan } from './load/plan.ts';
import type { Customer } from './shop.ts';
import type { Stage } from './stage.ts';

export interface Rates {
  /** Requests per second of each kind. */
  placing?: number;
  reading?: number;
  browsing?: number;
}

export const PLACING = 'placing orders';
export const READING = 'reading orders';
export const BROWSING = 'browsing products';

/**
 * An ordinary day: customers place orders, look at old ones, and browse. Open loop, so that a server that stalls meets the
 * same number of requests as one that does not. Orders are kept in a journal.
 * @param ports default: both api instances
 */
export function shopTraffic(
  stage: Stage,
  shoppers: { customers: Customer[]; orders: { id: string; customer: Customer }[] },
  rates: Rates,
  ports: number[] = stage.ports,
): StreamPlan[] {
  const { placing = 0, reading = 0, browsing = 0 } = rates;
  const { shop } = stage;
  const streams: StreamPlan[] = [
    { name: PLACING, ports, requests: shop.placing(shoppers.customers), pace: open(placing), journal: true },
    { name: READING, ports, requests: shop.reading(shoppers.orders), pace: open(reading) },
    { name: BROWSING, ports, requests: shop.browsing(), pace: open(browsing) },
  ];
  return streams.filter(({ pace }) => pace.kind === 'open' && pace.perSecond > 0);
}

/** Customers of this scenario, with some orders to look at. */
export async function shoppers(
  stage: Stage,
  { customers: howMany = 4, orders: howManyOrders = 40 } = {},
): Promise<{ customers: Customer[]; orders: { id: string; customer: Customer }[] }> {
  const customers = await stage.customers(howMany);
  const orders = await stage.shop.place(stage.apis[0]!.url, customers, howManyOrders);
  return { customers, orders };
}

function open(perSecond: number): { kind: 'open'; perSecond: number } {
  return { kind: 'open', perSecond };
}

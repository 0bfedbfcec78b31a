import { compareRates, rateOutcome } from '../harness/rates.ts';
import { assertSame } from '../harness/assert-same.ts';
import { openBothSides } from '../stage/open-shop.ts';
import type { Workload } from '../workload.ts';

export const orderPlace: Workload = {
  name: 'order-place',
  title: 'Place an order: idempotency record, stock, order, items and outbox in one transaction',
  run: async (bench) => {
    const { stage, sides, callers, shop } = await openBothSides(bench);
    const requests = callers.map((token, index) => ({
      method: 'POST' as const,
      path: '/v1/orders',
      token,
      keyed: true,
      body: {
        items: [0, 1].map((line) => ({ productId: productAt(shop.products, index, line), quantity: 1 })),
      },
    }));
    await assertSame(stage, sides, requests, { statements: true, answers: false });
    const measured = await compareRates(bench, stage, sides, {
      requests,
      // Every round starts with the same tables; no worker consumes the events. In the order in which a
      // transaction that the last round has left open uses them, or the two would deadlock.
      prepare: () => stage.sql.query('TRUNCATE idempotency_records, outbox_events'),
    });
    return {
      ...rateOutcome(sides, measured, { atLeast: 0.7 }),
      notes: ['No worker runs: the events stay in the outbox and are cleared before each round.'],
    };
  },
};

/** Two products of an order are never the same, and neighbours in the list of requests rarely want the same ones. */
function productAt(products: string[], index: number, line: number): string {
  return products[(index * 7 + line * 211) % products.length] as string;
}

import { compareRates, rateOutcome } from '../harness/rates.ts';
import { assertSame } from '../harness/assert-same.ts';
import { openBothSides } from '../stage/open-shop.ts';
import { NO_PRACTICAL_LIMIT } from '../stage/stage.ts';
import type { Workload } from '../workload.ts';

export const productRead: Workload = {
  name: 'product-read',
  title: 'Cached read of a product; bare reads it from PostgreSQL',
  run: async (bench) => {
    const { stage, sides, shop } = await openBothSides(bench, { rateLimit: NO_PRACTICAL_LIMIT });
    const requests = shop.products.map((id) => ({ method: 'GET' as const, path: `/v1/products/${id}` }));
    await assertSame(stage, sides, requests, { statements: false, answers: true });
    const measured = await compareRates(bench, stage, sides, { requests });
    return {
      ...rateOutcome(sides, measured, { atLeast: 1.1 }),
      notes: ['The rate limit is raised, because all reads come from one address.'],
    };
  },
};

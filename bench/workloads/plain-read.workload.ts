import { assertSame } from '../harness/assert-same.ts';
import { compareRates, rateOutcome } from '../harness/rates.ts';
import { openShop } from '../stage/open-shop.ts';
import type { Workload } from '../workload.ts';

export const plainRead: Workload = {
  name: 'plain-read',
  title: 'Authenticated read by key through an injected repository, in a plain feature',
  run: async (bench) => {
    const { stage, api } = await openShop(bench);
    const { rows } = await stage.sql.query<{ id: string; user_id: string }>(
      `INSERT INTO addresses (id, user_id, recipient, street, postal_code, city, country, version)
       SELECT uuidv7(), id, name, 'Long Street 1', '12345', 'Springfield', 'US', 1 FROM users RETURNING id, user_id`,
    );
    await stage.sql.query('VACUUM (ANALYZE) addresses');
    const bare = await stage.reference('bare/plain-feature.mjs');
    const sides = [api, { name: 'bare Nest', url: bare.url, pid: bare.pid }];
    const requests = rows.map(({ id, user_id }) => ({
      method: 'GET' as const,
      path: `/v1/addresses/${id}`,
      token: stage.tokens.of(user_id),
    }));
    await assertSame(stage, sides, requests, { statements: true, answers: true });
    const measured = await compareRates(bench, stage, sides, { requests });
    return rateOutcome(sides, measured, { atLeast: 0.85 });
  },
};

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../local/wait-for.ts';
import { openCounter, REHEARSALS, type Counter } from './counter.ts';

describe.each(['frozen', 'killed', 'rehearsed to block', 'rehearsed to fail'] as const)(
  'Redis is %s',
  (how) => {
    let counter: Counter;

    beforeAll(async () => {
      counter = await openCounter({
        env: {
          RATE_LIMIT_ENABLED: 'true',
          RATE_LIMIT_REQUESTS: '100',
          OUTBOX_REDELIVERY_AFTER_MS: '2000',
          ...REHEARSALS,
        },
      });
    });
    afterAll(() => counter?.close());

    it('answers every cell of its row in the matrix, and handles every event in the end', async () => {
      const [product = ''] = counter.products;
      const target = 'dependency:redis';
      if (how === 'frozen') counter.stack.redis.freeze();
      else if (how === 'killed') await counter.stack.redis.kill();
      else await counter.rehearse({ target, kind: how === 'rehearsed to fail' ? 'fail' : 'block' });
      const placed: string[] = [];
      try {
        // Orders are accepted, reads served from PostgreSQL, none of them slow.
        for (let i = 0; i < 10; i += 1) {
          const order = await counter.order();
          expect(order.status).toBe(201);
          expect(order.durationMs).toBeLessThan(1500);
          placed.push(order.body.id);
          expect((await counter.http.get(`/v1/orders/${order.body.id}`)).status).toBe(200);
          expect((await counter.http.get(`/v1/products/${product}`)).status).toBe(200);
        }
        expect((await counter.pay(placed[0] ?? '', 'pm_card_ok')).status).toBe(201);
        // Readiness stays 200 and says that something is missing.
        await waitFor(async () => (await counter.ready()).body.status === 'degraded', {
          what: 'the report of readiness',
        });
        const ready = await counter.ready();
        expect(ready.status).toBe(200);
        expect(ready.body).toMatchObject({ status: 'degraded', details: { redis: { status: 'degraded' } } });
        expect((await counter.live()).status).toBe(200);
        // Rate limiting falls back to a limit of this process.
        await waitFor(
          async () => {
            const answers = await Promise.all(
              Array.from({ length: 20 }, () => counter.http.get(`/v1/products/${product}`)),
            );
            return answers.some(({ status }) => status === 429);
          },
          { what: 'the local rate limit' },
        );
        // Logins count failures without it.
        const wrong = await counter.anonymous.post('/v1/auth/login', {
          email: 'a@example.com',
          password: 'wrong password',
        });
        expect([401, 429]).toContain(wrong.status);
      } finally {
        if (how === 'frozen') counter.stack.redis.thaw();
        else if (how === 'killed') await counter.stack.redis.restart();
        else await counter.rehearse();
      }
      // Events waited in the outbox: eleven mails (ten orders, one payment) arrive, each once.
      await waitFor(async () => (await counter.stack.sink.counts()).kept >= 11, {
        within: 60_000,
        what: 'all mail',
      });
      await waitFor(async () => (await counter.ready()).body.status === 'ok', {
        what: 'readiness',
      });
      expect((await counter.stack.sink.counts()).kept).toBe(11);
    });
  },
);

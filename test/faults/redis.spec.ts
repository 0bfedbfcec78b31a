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

    it('answers every cell of its row in the matrix, and handles every event eventually', async () => {
      const [account = ''] = counter.accounts;
      const target = 'dependency:redis';
      if (how === 'frozen') counter.stack.redis.freeze();
      else if (how === 'killed') await counter.stack.redis.kill();
      else await counter.rehearse({ target, kind: how === 'rehearsed to fail' ? 'fail' : 'block' });
      let made = 0;
      try {
        // Transfers are accepted, reads served from PostgreSQL, none of them slow.
        for (let i = 0; i < 10; i += 1) {
          const transfer = await counter.transfer();
          expect(transfer.status).toBe(201);
          expect(transfer.durationMs).toBeLessThan(3000);
          made += 1;
          expect((await counter.http.get(`/v1/transfers/${transfer.body.id}`)).status).toBe(200);
          expect((await counter.http.get(`/v1/accounts/${account}`)).status).toBe(200);
        }
        expect((await counter.withdraw('pm_card_ok')).status).toBe(201);
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
              Array.from({ length: 20 }, () => counter.http.get(`/v1/accounts/${account}`)),
            );
            return answers.some(({ status }) => status === 429);
          },
          { within: 60_000, what: 'the local rate limit' },
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
      // Events waited in the outbox: each is handled, once.
      await waitFor(async () => (await counter.receipts()).transfers === made, {
        within: 120_000,
        what: 'all receipts',
      });
      await waitFor(async () => (await counter.ready()).body.status === 'ok', {
        within: 60_000,
        what: 'readiness',
      });
      expect(await counter.receipts()).toEqual({ written: made, transfers: made });
    });
  },
);

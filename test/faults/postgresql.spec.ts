import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../local/wait-for.ts';
import { openCounter, REHEARSALS, type Counter } from './counter.ts';
import { expectUnavailable } from './expectations.ts';

/** A cached account counts as fresh for so long; the outage outlasts it, so that what is served is stale. */
const CACHE_TTL_SECONDS = 1;
/** docs/degradation.md: each request of an outage is answered within this. */
const ANSWERED_WITHIN_MS = 2000;

describe.each(['frozen', 'killed', 'rehearsed to block', 'rehearsed to fail'] as const)(
  'PostgreSQL is %s',
  (how) => {
    let counter: Counter;

    beforeAll(async () => {
      counter = await openCounter({
        env: {
          CACHE_TTL_SECONDS: String(CACHE_TTL_SECONDS),
          RATE_LIMIT_ENABLED: 'true',
          RATE_LIMIT_REQUESTS: '500',
          ...REHEARSALS,
        },
      });
    });
    afterAll(() => counter?.close());

    async function breakIt(): Promise<void> {
      const target = 'dependency:postgresql';
      if (how === 'frozen') counter.stack.postgres.freeze();
      else if (how === 'killed') await counter.stack.postgres.kill();
      else await counter.rehearse({ target, kind: how === 'rehearsed to fail' ? 'fail' : 'block' });
    }
    async function mend(): Promise<void> {
      if (how === 'frozen') counter.stack.postgres.thaw();
      else if (how === 'killed') await counter.stack.postgres.restart();
      else await counter.rehearse();
    }
    afterEach(async () => {
      await waitFor(async () => (await counter.ready()).body.status === 'ok', {
        within: 60_000,
        what: 'readiness',
      });
    });

    it('answers every cell of its row in the matrix, and is normal again within 3 s of its return', async () => {
      const [known = '', unknown = ''] = counter.accounts;
      expect((await counter.http.get(`/v1/accounts/${known}`)).status).toBe(200);
      const made = await counter.transfer('before-the-outage');
      expect(made.status).toBe(201);
      await breakIt();
      try {
        // Writes and outside calls: 503 with Retry-After within 2 s, also before the circuit breaker has opened.
        const [transfer, withdrawal, list] = await Promise.all([
          counter.transfer(),
          counter.withdraw('pm_card_ok'),
          counter.http.get('/v1/transfers'),
        ]);
        for (const answer of [transfer, withdrawal, list]) expectUnavailable(answer, ANSWERED_WITHIN_MS);
        // Reads: what is cached is served, also when it is no longer fresh.
        await waitFor(
          async () => {
            const account = await counter.http.get(`/v1/accounts/${known}`);
            expect(account.status).toBe(200);
            expect(account.durationMs).toBeLessThan(ANSWERED_WITHIN_MS);
            return account.headers.get('cache-status')?.includes('ttl=-');
          },
          { every: 250, what: 'a stale account' },
        );
        expectUnavailable(await counter.http.get(`/v1/accounts/${unknown}`), ANSWERED_WITHIN_MS);
        // The circuit breaker opens, and says so.
        await waitFor(
          async () => {
            expectUnavailable(await counter.transfer(), ANSWERED_WITHIN_MS);
            const { text } = await counter.api.management.get('/metrics');
            return /dependency_circuit_state\{dependency="postgresql"\} [12]/.test(text);
          },
          { what: 'an open circuit' },
        );
        // Rate limiting works.
        await waitFor(
          async () => {
            const answers = await Promise.all(
              Array.from({ length: 20 }, () => counter.http.get(`/v1/accounts/${known}`)),
            );
            return answers.some(({ status }) => status === 429);
          },
          { within: 60_000, what: 'the rate limit' },
        );
        // Readiness stays 200, or nobody would be left to give these answers. Liveness depends on nothing.
        await waitFor(async () => (await counter.ready()).body.status === 'degraded', {
          what: 'the report of readiness',
        });
        const ready = await counter.ready();
        expect(ready.status).toBe(200);
        expect(ready.body).toMatchObject({
          status: 'degraded',
          details: { postgresql: { status: 'degraded' } },
        });
        expect((await counter.live()).status).toBe(200);
      } finally {
        await mend();
      }
      const anonymous = counter.anonymous.with({ 'x-forwarded-for': '198.51.100.7' });
      await waitFor(async () => (await anonymous.get(`/v1/accounts/${unknown}`)).status !== 503, {
        within: 3000,
        what: 'normal answers',
      });
    });

    it('pauses jobs and loses none: earlier transfers get their receipts', async () => {
      await waitFor(async () => (await counter.receipts()).written >= 1, {
        // Half a minute until BullMQ takes the job for stalled, when its worker was in the middle of it.
        within: 120_000,
        what: 'the receipt of the transfer made before',
      });
    });
  },
);

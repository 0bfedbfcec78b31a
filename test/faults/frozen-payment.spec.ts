import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpClient, HttpResponse } from '../../local/http.ts';
import { startJsonServer, type JsonServer } from '../../local/json-server.ts';
import type { ApiProcess } from '../../local/processes.ts';
import { waitFor } from '../../local/wait-for.ts';
import { openShop, type Order, type Shop } from './shop.ts';

/** The lease of the instance that freezes: this and four seconds. */
const FROZEN_TIMEOUT_MS = 8000;
/** How long the provider takes to answer the other instance: long enough for the frozen one to wake up meanwhile. */
const SLOW_MS = 4000;

/** A route to the provider that holds requests until it is told what to answer. */
class HeldProvider {
  private readonly arrival = Promise.withResolvers<void>();
  private readonly verdict = Promise.withResolvers<number>();
  private server?: JsonServer;

  async open(): Promise<string> {
    this.server = await startJsonServer({ port: 0, host: '127.0.0.1' }, async () => {
      this.arrival.resolve();
      return { status: await this.verdict.promise };
    });
    return this.server.url;
  }

  asked(): Promise<void> {
    return this.arrival.promise;
  }

  answer(status: number): void {
    this.verdict.resolve(status);
  }

  async close(): Promise<void> {
    await this.server?.stop();
  }
}

describe('An instance that freezes during a payment and continues after its lease has expired', () => {
  let shop: Shop;
  let token: string;

  beforeAll(async () => {
    shop = await openShop({
      slowMs: SLOW_MS,
      env: { PAYMENT_PROVIDER_TIMEOUT_MS: String(4 * SLOW_MS), DATABASE_POOL_SIZE: '5' },
    });
    token = shop.accessToken;
  });
  afterAll(() => shop?.close());

  /** How often money was taken for an order, by the provider's books. */
  async function charged(orderId: string): Promise<number> {
    return (await shop.stack.sandbox.summary()).succeededByReference[orderId] ?? 0;
  }

  /** @param freeze freezes the first instance, at the moment that the case is about @returns what thaws it */
  async function expectOneCharge(
    freeze: (frozen: ApiProcess, provider: HeldProvider) => Promise<() => Promise<void>>,
  ): Promise<void> {
    const provider = new HeldProvider();
    const frozen = await shop.stack.api({
      PAYMENT_PROVIDER_URL: await provider.open(),
      PAYMENT_PROVIDER_TIMEOUT_MS: String(FROZEN_TIMEOUT_MS),
      DATABASE_POOL_SIZE: '1',
      DATABASE_ACQUIRE_TIMEOUT_MS: '60000',
      DATABASE_QUERY_TIMEOUT_MS: '60000',
      DATABASE_STATEMENT_TIMEOUT_MS: '60000',
      DATABASE_LOCK_TIMEOUT_MS: '60000',
    });
    try {
      const { body: order } = await shop.order();
      const key = randomUUID();
      const pay = (http: HttpClient): Promise<HttpResponse> =>
        http
          .as(token)
          .post(
            `/v1/orders/${order.id}/payments`,
            { paymentMethod: 'pm_card_slow' },
            { headers: { 'Idempotency-Key': key } },
          );
      const first = pay(frozen.http);
      await provider.asked();
      const thaw = await freeze(frozen, provider);
      const second = waitFor(
        async () => {
          const answer = await pay(shop.api.http);
          return answer.status === 409 ? undefined : answer;
        },
        { within: 60_000, every: 100, what: 'the end of the lease' },
      );
      await waitFor(async () => (await charged(order.id)) === 1, { within: 30_000, what: 'the charge' });
      await thaw();

      const late = await first;
      const successor = await second;
      const retries = [await pay(frozen.http), await pay(shop.api.http)];
      expect(await charged(order.id)).toBe(1);
      expect(successor.status).toBe(201);
      expect(late.status === 409 || late.text === successor.text, late.text).toBe(true);
      expect(retries.map(({ status, text }) => [status, text])).toEqual([
        [201, successor.text],
        [201, successor.text],
      ]);
      expect((await shop.http.get<Order>(`/v1/orders/${order.id}`)).body.status).toBe('paid');
    } finally {
      await frozen.kill();
      await provider.close();
    }
  }

  it('releases nothing although its own attempt failed: the order is charged once', async () => {
    const blocker = new pg.Client({ connectionString: shop.stack.postgres.url() });
    await blocker.connect();
    let blocked: Promise<unknown> | undefined;
    try {
      await expectOneCharge(async (frozen, provider) => {
        // Its only connection is busy, so that it stands between the provider's word and the abandoning.
        await blocker.query('BEGIN');
        await blocker.query('SELECT 1 FROM products WHERE id = $1 FOR UPDATE', [shop.products[40]]);
        blocked = frozen.http
          .as(token)
          .post(
            '/v1/orders',
            { items: [{ productId: shop.products[40], quantity: 1 }] },
            { headers: { 'Idempotency-Key': randomUUID() } },
          );
        await waitFor(() => waitingOnLocks(blocker), { what: 'a busy connection' });
        // Background work waits for it too: a look at the outbox every two seconds, and one for revoked sessions.
        const waiting = async (): Promise<number> =>
          Number(/"waiting":(\d+)/.exec((await frozen.management.get('/health/ready')).text)?.[1]);
        const before = await waitFor(async () => await waiting(), { what: 'background work that waits' });
        provider.answer(429);
        await waitFor(async () => (await waiting()) >= before + 2, {
          what: 'an abandoning that waits for a connection',
        });
        frozen.freeze();
        return async () => {
          await blocker.query('COMMIT');
          frozen.thaw();
        };
      });
    } finally {
      await blocker.end();
      await blocked;
    }
  });

  it('finishes nothing although its own attempt seems unknown: the order is charged once', async () => {
    await expectOneCharge(async (frozen) => {
      frozen.freeze();
      return async () => frozen.thaw();
    });
  });
});

async function waitingOnLocks(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ waiting: boolean }>(
    `SELECT count(*) > 0 AS waiting FROM pg_stat_activity WHERE wait_event_type = 'Lock'`,
  );
  return rows[0]?.waiting ?? false;
}

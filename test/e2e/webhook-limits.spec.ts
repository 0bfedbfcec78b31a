import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signWebhook } from '../support/payment-sandbox.ts';
import { openShop, type Shop } from './shop.ts';

describe('webhooks with a wrong signature', () => {
  let shop: Shop;

  beforeAll(async () => {
    shop = await openShop({
      RATE_LIMIT_ENABLED: 'true',
      RATE_LIMIT_REQUESTS: '20',
      TRUST_PROXY: '127.0.0.0/8',
    });
  });

  afterAll(() => shop?.close());

  async function deliver(secret: string, address = '192.0.2.1'): Promise<number> {
    const body = JSON.stringify({ type: 'customer.created', data: {} });
    const id = `evt_${randomUUID()}`;
    const signed = signWebhook(secret, body, { id, timestamp: Math.floor(Date.now() / 1000) });
    const headers = { ...signed, 'x-forwarded-for': address };
    return (await shop.http.post('/v1/webhooks/payments', body, { headers })).status;
  }

  it('are limited by address, while deliveries of the provider from there go on', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 25; i++) statuses.push(await deliver(randomUUID()));
    expect(statuses).toEqual([...Array<number>(20).fill(401), ...Array<number>(5).fill(429)]);
    for (let i = 0; i < 30; i++) expect(await deliver(shop.webhookSecret)).toBe(204);
    expect(await deliver(randomUUID(), '192.0.2.2')).toBe(401);
  });
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLocalStack, type LocalStack } from './npm-start.ts';

let stack: LocalStack;

beforeAll(async () => {
  stack = await openLocalStack();
});
afterAll(async () => {
  await stack?.stop();
  await stack?.close();
});

describe('npm start with the example features', { timeout: 300_000 }, () => {
  it('has products, and mails the customer about an order', async () => {
    await stack.start().up();
    const { body: products } = await stack.http.get<{ data: { id: string }[] }>('/v1/products?limit=100');
    expect(products.data).toHaveLength(50);
    const customer = await stack.logIn();
    const order = await customer.post(
      '/v1/orders',
      { items: [{ productId: products.data[0]?.id, quantity: 1 }] },
      { headers: { 'idempotency-key': randomUUID() } },
    );
    expect(order.status).toBe(201);
    await stack.mail('customer@example.com');
  });
});

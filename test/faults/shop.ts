import { randomUUID } from 'node:crypto';
import type { ApiProcess } from '../../local/processes.ts';
import type { HttpClient, HttpResponse } from '../../local/http.ts';
import { startTestStack } from '../../local/stack.ts';
import type { TestStack, TestStackOptions } from '../../local/stack.ts';
import { newUser } from '../factories/users.ts';

export interface Order {
  id: string;
  status: string;
}

/** The shop with its demo data and a customer who is logged in, on a stack of its own: for what the example features promise. */
export interface Shop {
  stack: TestStack;
  api: ApiProcess;
  /** As the customer. */
  http: HttpClient;
  accessToken: string;
  products: string[];
  order(key?: string): Promise<HttpResponse<Order>>;
  pay(
    orderId: string,
    paymentMethod: string,
    key?: string,
  ): Promise<HttpResponse<{ id: string; status: string }>>;
  ready(): Promise<HttpResponse<{ status: string; details: Record<string, { status: string }> }>>;
  close(): Promise<void>;
}

/** PostgreSQL, Redis, provider, mail server, and one api. */
export async function openShop(options: TestStackOptions = {}): Promise<Shop> {
  const stack = await startTestStack(options);
  try {
    const { code, stderr } = await stack.cli(['seed:demo']);
    if (code !== 0) throw new Error(`seed:demo failed: ${stderr}`);
    const api = await stack.api();
    const { accessToken, http } = await newUser(api);
    const { body } = await http.get<{ data: { id: string }[] }>('/v1/products?limit=50');
    let placed = 0;
    const products = body.data.map(({ id }) => id);
    return {
      stack,
      api,
      http,
      accessToken,
      products,
      // Of one product after the other: concurrent orders shall not queue for one row.
      order: (key = randomUUID()) =>
        http.post(
          '/v1/orders',
          { items: [{ productId: products[placed++ % products.length], quantity: 1 }] },
          { headers: { 'Idempotency-Key': key } },
        ),
      pay: (orderId, paymentMethod, key = randomUUID()) =>
        http.post(
          `/v1/orders/${orderId}/payments`,
          { paymentMethod },
          { headers: { 'Idempotency-Key': key } },
        ),
      ready: () => api.management.get('/health/ready'),
      close: () => stack.stop(),
    };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

import { randomUUID } from 'node:crypto';
import type { ApiProcess } from '../../local/processes.ts';
import type { HttpClient, HttpResponse } from '../../local/http.ts';
import { startTestStack } from '../../local/stack.ts';
import type { TestStack, TestStackOptions } from '../../local/stack.ts';

export interface Order {
  id: string;
  status: string;
}

/** What opens the fault routes, for the environment of the stack. */
export const REHEARSALS = { FAULTS_ENABLED: 'true', FAULTS_TOKEN: 'a-token-for-rehearsals' };

/** A shop with the demo data and a customer who is logged in, on a stack of its own. */
export interface Counter {
  stack: TestStack;
  api: ApiProcess;
  /** As the customer. */
  http: HttpClient;
  /** As nobody. */
  anonymous: HttpClient;
  products: string[];
  order(key?: string): Promise<HttpResponse<Order>>;
  pay(
    orderId: string,
    paymentMethod: string,
    key?: string,
  ): Promise<HttpResponse<{ id: string; status: string }>>;
  ready(): Promise<HttpResponse<{ status: string; details: Record<string, { status: string }> }>>;
  live(): Promise<HttpResponse>;
  /** Switches a fault on in api and worker (`FAULTS_ENABLED`), or all of them off. */
  rehearse(fault?: { target: string; kind: 'fail' | 'block' }): Promise<void>;
  close(): Promise<void>;
}

/** Opens a counter: PostgreSQL, Redis, provider, mail server, one api, and a worker unless told otherwise. */
export async function openCounter({
  worker = true,
  ...options
}: TestStackOptions & { worker?: boolean } = {}): Promise<Counter> {
  const stack = await startTestStack(options);
  try {
    const { code, stderr } = await stack.cli(['seed:demo']);
    if (code !== 0) throw new Error(`seed:demo failed: ${stderr}`);
    const api = await stack.api();
    const processes = worker ? [api, await stack.worker()] : [api];
    const anonymous = api.http;
    const login = await anonymous.post<{ accessToken: string }>('/v1/auth/login', {
      email: 'customer@example.com',
      password: 'holdfast-demo-password',
    });
    const http = anonymous.as(login.body.accessToken);
    const { body } = await anonymous.get<{ data: { id: string }[] }>('/v1/products?limit=50');
    let placed = 0;
    const products = body.data.map(({ id }) => id);
    return {
      stack,
      api,
      http,
      anonymous,
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
      live: () => api.management.get('/health/live'),
      rehearse: async (fault) => {
        const headers = { authorization: `Bearer ${REHEARSALS.FAULTS_TOKEN}` };
        for (const { management } of processes) {
          const asked = fault
            ? management.put('/faults', fault, { headers })
            : management.delete('/faults', { headers });
          if ((await asked).status !== 200) throw new Error('The fault routes refused');
        }
      },
      close: () => stack.stop(),
    };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

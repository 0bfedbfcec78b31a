import { randomBytes } from 'node:crypto';
import { httpClient } from '../../local/http.ts';
import type { HttpClient, HttpResponse } from '../../local/http.ts';
import type { RequestTemplate } from './load/plan.ts';

/** A customer of one scenario: what belongs to him was done in it. */
export interface Customer {
  id: string;
  email: string;
  headers: { Authorization: string };
  /** Bearer token for `HttpClient.as`. */
  token: string;
}

const PASSWORD = 'a-password-of-the-game-day';

/** What the customers of the shop do, as requests for a load generator or one by one. */
export class Shop {
  /** Products that are sold in orders, and others that are only looked at: their cached copies stay valid. */
  readonly sold: string[];
  readonly shown: string[];

  constructor(productIds: string[]) {
    const half = Math.floor(productIds.length / 2);
    this.sold = productIds.slice(0, half);
    this.shown = productIds.slice(half);
  }

  /** New customers, logged in. */
  async register(baseUrl: string, howMany: number): Promise<Customer[]> {
    const http = httpClient(baseUrl);
    return Promise.all(Array.from({ length: howMany }, () => this.registerOne(http)));
  }

  /** Orders of one piece each, spread over the customers and the products. */
  placing(customers: Customer[]): RequestTemplate[] {
    return spread(this.sold.length, customers, (customer, i) => ({
      method: 'POST',
      path: '/v1/orders',
      headers: customer.headers,
      body: { items: [{ productId: this.sold[i % this.sold.length], quantity: 1 }] },
      idempotencyKey: true,
    }));
  }

  browsing(): RequestTemplate[] {
    return this.shown.map((id) => ({ method: 'GET', path: `/v1/products/${id}` }));
  }

  /** Reads of one order each. @param orders who owns them */
  reading(orders: { id: string; customer: Customer }[]): RequestTemplate[] {
    return orders.map(({ id, customer }) => ({
      method: 'GET',
      path: `/v1/orders/${id}`,
      headers: customer.headers,
    }));
  }

  paying(orders: { id: string; customer: Customer }[], paymentMethod: string): RequestTemplate[] {
    return orders.map(({ id, customer }) => ({
      method: 'POST',
      path: `/v1/orders/${id}/payments`,
      headers: customer.headers,
      body: { paymentMethod },
      idempotencyKey: `pay-${id}`,
    }));
  }

  /** Places so many orders, one after another for each customer, and expects all of them to succeed. */
  async place(
    baseUrl: string,
    customers: Customer[],
    howMany: number,
  ): Promise<{ id: string; customer: Customer }[]> {
    const http = httpClient(baseUrl);
    const placed: { id: string; customer: Customer }[] = [];
    const placeFor = async (customer: Customer, count: number): Promise<void> => {
      for (let i = 0; i < count; i += 1) {
        const answer = await this.placeOne(http.as(customer.token), randomBytes(12).toString('hex'), i);
        if (answer.status !== 201)
          throw new Error(`An order was not placed: ${answer.status} ${answer.text}`);
        placed.push({ id: answer.body.id, customer });
      }
    };
    const share = Math.ceil(howMany / customers.length);
    await Promise.all(customers.map((customer) => placeFor(customer, share)));
    return placed.slice(0, howMany);
  }

  /** @param http as a customer */
  placeOne(http: HttpClient, key: string, product = 0): Promise<HttpResponse<{ id: string }>> {
    const items = [{ productId: this.sold[product % this.sold.length], quantity: 1 }];
    return http.post('/v1/orders', { items }, { headers: { 'Idempotency-Key': key } });
  }

  private async registerOne(http: HttpClient): Promise<Customer> {
    const email = `${randomBytes(8).toString('hex')}@customers.example`;
    const registered = await http.post<{ id: string }>('/v1/auth/register', {
      email,
      password: PASSWORD,
      name: 'Gina Gameday',
    });
    if (registered.status !== 201)
      throw new Error(`Registration failed: ${registered.status} ${registered.text}`);
    const login = await http.post<{ accessToken: string }>('/v1/auth/login', { email, password: PASSWORD });
    if (login.status !== 200) throw new Error(`Login failed: ${login.status} ${login.text}`);
    const token = login.body.accessToken;
    return { id: registered.body.id, email, token, headers: { Authorization: `Bearer ${token}` } };
  }
}

/** As many requests as it takes for every product to meet every customer. */
function spread(
  products: number,
  customers: Customer[],
  make: (customer: Customer, product: number) => RequestTemplate,
): RequestTemplate[] {
  return Array.from({ length: products * customers.length }, (_, i) =>
    make(customers[i % customers.length]!, Math.floor(i / customers.length)),
  );
}

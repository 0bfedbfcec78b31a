import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OrderDto } from '../../src/modules/orders/dto/order.dto.js';
import type { ProblemDocument } from '../../src/platform/http/index.js';
import { httpClient, type HttpClient } from '../../local/http.ts';
import { openShop, type Shop } from './shop.ts';
import { newProduct } from '../factories/products.ts';
import { newAdmin, newUser, type TestUser } from '../factories/users.ts';
import { withKey } from '../factories/keys.ts';
import { newOrder } from '../factories/orders.ts';
import { served } from '../support/served.ts';

let shop: Shop;
let ada: TestUser;
let chair: string;

beforeAll(async () => {
  shop = await openShop();
  ada = await newUser(shop);
  chair = await newProduct(shop, { amount: 1990, stock: 1000 });
});

afterAll(() => shop?.close());

const place = (items: { productId: string; quantity: number }[], customer = ada) =>
  customer.http.post<OrderDto>('/v1/orders', { items }, withKey());

const eventsOf = (orderId: string) =>
  shop.sql<{ name: string; payload: object; key: string }>(
    'SELECT name, payload, key FROM outbox_events WHERE key = $1 ORDER BY position',
    [orderId],
  );

describe('Placing an order', () => {
  it('answers 201 with the order and its location, reserves the stock and announces it', async () => {
    const table = await newProduct(shop, { amount: 25_000, stock: 5 });
    const answer = await place([
      { productId: table, quantity: 2 },
      { productId: chair, quantity: 3 },
    ]);

    expect(answer.status).toBe(201);
    const order = answer.body;
    expect(answer.headers.get('location')).toBe(`/v1/orders/${order.id}`);
    expect(order).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      status: 'pending',
      items: [
        { productId: table, name: 'Chair', quantity: 2, unitPrice: { amount: 25_000, currency: 'EUR' } },
        { productId: chair, name: 'Chair', quantity: 3, unitPrice: { amount: 1990, currency: 'EUR' } },
      ],
      total: { amount: 55_970, currency: 'EUR' },
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      updatedAt: order.createdAt,
    });
    expect(await shop.stockOf(table)).toBe(3);
    expect(await eventsOf(order.id)).toEqual([
      {
        name: 'order.placed',
        key: order.id,
        payload: { orderId: order.id, userId: ada.userId, amount: 55_970, currency: 'EUR' },
      },
    ]);
    expect((await ada.http.get(`/v1/orders/${order.id}`)).body).toEqual(order);
  });

  it('adds the quantities of a product that is listed twice', async () => {
    const answer = await place([
      { productId: chair, quantity: 1 },
      { productId: chair.toUpperCase(), quantity: 2 },
    ]);

    expect(answer.body.items).toMatchObject([{ productId: chair, quantity: 3 }]);
  });

  it('does nothing when one product is out of stock', async () => {
    const rare = await newProduct(shop, { stock: 1 });
    const before = await shop.stockOf(chair);
    const answer = await place([
      { productId: chair, quantity: 1 },
      { productId: rare, quantity: 2 },
    ]);

    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({ code: 'insufficient-stock', productId: rare, available: 1 });
    expect([await shop.stockOf(chair), await shop.stockOf(rare)]).toEqual([before, 1]);
  });

  it('reports the unknown product', async () => {
    const answer = await place([
      { productId: chair, quantity: 1 },
      { productId: randomUUID(), quantity: 1 },
    ]);

    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({
      code: 'unknown-product',
      errors: [{ pointer: '/items/1/productId' }],
    });
  });

  it('rejects mixed currencies and too large totals', async () => {
    const dollars = await newProduct(shop, { currency: 'USD' });
    const gold = await newProduct(shop, { amount: 99_999_999_999_999, stock: 1_000_000 });

    const mixed = await place([
      { productId: chair, quantity: 1 },
      { productId: dollars, quantity: 1 },
    ]);
    expect([mixed.status, mixed.body]).toMatchObject([
      422,
      { code: 'mixed-currencies', errors: [{ pointer: '/items' }] },
    ]);
    const large = await place([{ productId: gold, quantity: 1000 }]);
    expect([large.status, large.body]).toMatchObject([
      422,
      { code: 'order-too-large', errors: [{ pointer: '/items' }] },
    ]);
    expect([await shop.stockOf(dollars), await shop.stockOf(gold)]).toEqual([100, 1_000_000]);
  });

  it('gives the last piece to exactly one of two clients', async () => {
    const [bob, last] = [await newUser(shop), await newProduct(shop, { stock: 1 })];
    const answers = await Promise.all(
      [ada, bob, ada, bob].map((customer) => place([{ productId: last, quantity: 1 }], customer)),
    );

    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409, 409]);
    expect(await shop.stockOf(last)).toBe(0);
    const lines = await shop.sql('SELECT 1 FROM order_items WHERE product_id = $1', [last]);
    expect(lines).toHaveLength(1);
  });

  it('requires a caller', async () => {
    const answer = await shop.http.post(
      '/v1/orders',
      { items: [{ productId: chair, quantity: 1 }] },
      withKey(),
    );
    expect(answer.status).toBe(401);
  });
});

describe('Bad input to an order', () => {
  const item = () => ({ productId: chair, quantity: 1 });
  it.each<[string, () => unknown, string]>([
    ['no body', () => undefined, ''],
    ['a list', () => [], ''],
    ['no items', () => ({}), '/items'],
    ['an empty list of items', () => ({ items: [] }), '/items'],
    ['51 items', () => ({ items: Array.from({ length: 51 }, item) }), '/items'],
    ['items that are no list', () => ({ items: item() }), '/items'],
    ['an item that is null', () => ({ items: [null] }), '/items'],
    ['an item that is a text', () => ({ items: ['chair'] }), '/items'],
    ['an item that is a list', () => ({ items: [[]] }), '/items'],
    ['a quantity of 0', () => ({ items: [{ ...item(), quantity: 0 }] }), '/items/0/quantity'],
    ['a quantity of -1', () => ({ items: [{ ...item(), quantity: -1 }] }), '/items/0/quantity'],
    ['a quantity of 1.5', () => ({ items: [{ ...item(), quantity: 1.5 }] }), '/items/0/quantity'],
    ['a quantity of 1001', () => ({ items: [{ ...item(), quantity: 1001 }] }), '/items/0/quantity'],
    ['a quantity of 2^53', () => ({ items: [{ ...item(), quantity: 2 ** 53 }] }), '/items/0/quantity'],
    ['a quantity as text', () => ({ items: [{ ...item(), quantity: '1' }] }), '/items/0/quantity'],
    ['no quantity', () => ({ items: [{ productId: chair }] }), '/items/0/quantity'],
    ['no product', () => ({ items: [item(), { quantity: 1 }] }), '/items/1/productId'],
    [
      'a product that is no id',
      () => ({ items: [{ productId: "'; --", quantity: 1 }] }),
      '/items/0/productId',
    ],
    [
      'a product with NUL',
      () => ({ items: [{ productId: `${chair}\0`, quantity: 1 }] }),
      '/items/0/productId',
    ],
    ['an unknown field', () => ({ items: [item()], total: 1 }), '/total'],
    ['an unknown field in an item', () => ({ items: [{ ...item(), price: 1 }] }), '/items/0/price'],
  ])('%s is 422 and says where', async (_, body, pointer) => {
    const answer = await ada.http.post<ProblemDocument>('/v1/orders', body(), withKey());

    expect(answer.status).toBe(422);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ code: 'validation-failed' });
    expect((answer.body.errors as { pointer: string }[]).map((error) => error.pointer)).toContain(pointer);
  });

  it.each([
    ['malformed JSON', '{"items": [', 400],
    ['a body over the limit', `{"items": "${'x'.repeat(300_000)}"}`, 413],
    ['deep nesting', `{"items": ${'['.repeat(50_000)}${']'.repeat(50_000)}}`, 422],
  ])('%s is a client error', async (_, body, status) => {
    const answer = await ada.http.post('/v1/orders', body, withKey());
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });

  it('leaves nothing behind', async () => {
    const before = await shop.sql('SELECT 1 FROM orders WHERE user_id = $1', [ada.userId]);
    await ada.http.post('/v1/orders', { items: [{ productId: chair, quantity: 0 }] }, withKey('bad-input'));
    const records = await shop.sql(`SELECT 1 FROM idempotency_records WHERE key = 'bad-input'`);

    expect(records).toEqual([]);
    expect(await shop.sql('SELECT 1 FROM orders WHERE user_id = $1', [ada.userId])).toHaveLength(
      before.length,
    );
  });

  it.each([
    ['/v1/orders/1'],
    ['/v1/orders/%00'],
    ['/v1/orders?limit=0'],
    ['/v1/orders?limit=x'],
    ['/v1/orders?cursor=x'],
  ])('GET %s is 422', async (path) => {
    const answer = await ada.http.get<ProblemDocument>(path);
    expect([answer.status, answer.body.code]).toEqual([422, 'validation-failed']);
  });
});

describe('Reading orders', () => {
  it('is allowed to their owner and admins; for others they do not exist', async () => {
    const [bob, admin, order] = [await newUser(shop), await newAdmin(shop), await newOrder(ada, chair)];
    const path = `/v1/orders/${order.id}`;

    expect((await admin.http.get(path)).body).toEqual(order);
    const foreign = await bob.http.get<ProblemDocument>(path);
    expect([foreign.status, foreign.body.code]).toEqual([404, 'order-not-found']);
    expect((await shop.http.get(path)).status).toBe(401);
    const unknown = await ada.http.get<ProblemDocument>(`/v1/orders/${randomUUID()}`);
    expect([unknown.status, unknown.body.code]).toEqual([404, 'order-not-found']);
  });

  it('pages through those of the caller, newest first', async () => {
    const bob = await newUser(shop);
    const ids = [];
    for (let n = 0; n < 5; n++) ids.push((await newOrder(bob, chair)).id);
    const seen: string[] = [];
    let path = '/v1/orders?limit=2';
    const sizes = [];
    for (;;) {
      const { body } = await bob.http.get<{ data: OrderDto[]; nextCursor: string | null }>(path);
      sizes.push(body.data.length);
      seen.push(...body.data.map(({ id }) => id));
      if (body.nextCursor === null) break;
      path = `/v1/orders?limit=2&cursor=${body.nextCursor}`;
    }

    expect(sizes).toEqual([2, 2, 1]);
    expect(seen).toEqual(ids.toSorted().toReversed());
  });

  it('shows those of all users to an admin', async () => {
    const [admin, bob] = [await newAdmin(shop), await newUser(shop)];
    const ids = [(await newOrder(bob, chair)).id, (await newOrder(ada, chair)).id];
    const { body } = await admin.http.get<{ data: OrderDto[] }>('/v1/orders?limit=2');

    expect(body.data.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  });
});

describe('Cancelling an order', () => {
  it('returns the stock, once, and announces it', async () => {
    const product = await newProduct(shop, { stock: 5 });
    const order = await newOrder(ada, product, 2);
    const answers = await Promise.all(
      [1, 2, 3].map(() => ada.http.post<OrderDto>(`/v1/orders/${order.id}/cancel`)),
    );

    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409]);
    const [done] = answers.filter(({ status }) => status === 200);
    expect(done?.body).toMatchObject({ id: order.id, status: 'cancelled', items: order.items });
    expect(await shop.stockOf(product)).toBe(5);
    expect((await eventsOf(order.id)).map(({ name }) => name)).toEqual(['order.placed', 'order.cancelled']);
    expect((await ada.http.get(`/v1/orders/${order.id}`)).body).toEqual(done?.body);
  });

  it('is allowed to the owner only', async () => {
    const [admin, order] = [await newAdmin(shop), await newOrder(ada, chair)];

    expect((await admin.http.post(`/v1/orders/${order.id}/cancel`)).status).toBe(404);
    expect((await ada.http.get<OrderDto>(`/v1/orders/${order.id}`)).body.status).toBe('pending');
  });

  it.each(['paid', 'fulfilled'])('is rejected when the order is %s', async (status) => {
    const order = await newOrder(ada, chair);
    await shop.sql('UPDATE orders SET status = $2 WHERE id = $1', [order.id, status]);
    const answer = await ada.http.post<ProblemDocument>(`/v1/orders/${order.id}/cancel`);

    expect([answer.status, answer.body.code]).toEqual([409, 'order-not-cancellable']);
  });
});

describe('Idempotency of orders', () => {
  it('replays the first answer, byte for byte, and marks it', async () => {
    const product = await newProduct(shop, { stock: 10 });
    const body = { items: [{ productId: product, quantity: 1 }] };
    const key = randomUUID();
    const first = await ada.http.post('/v1/orders', body, withKey(key));
    const second = await ada.http.post(
      '/v1/orders',
      `{ "items":[{"quantity":1, "productId":"${product}"}] }`,
      withKey(`"${key}"`),
    );

    expect(second.status).toBe(201);
    expect(second.text).toBe(first.text);
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    expect(second.headers.get('content-type')).toBe(first.headers.get('content-type'));
    expect([first, second].map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([null, 'true']);
    expect(await shop.stockOf(product)).toBe(9);
  });

  it('replays a rejection, byte for byte, even if it would succeed now', async () => {
    const product = await newProduct(shop, { stock: 0 });
    const body = { items: [{ productId: product, quantity: 1 }] };
    const first = await ada.http.post('/v1/orders', body, withKey('refused'));
    await shop.sql('UPDATE products SET stock = 10 WHERE id = $1', [product]);
    const second = await ada.http.post('/v1/orders', body, withKey('refused'));

    expect([first.status, second.status]).toEqual([409, 409]);
    expect(second.text).toBe(first.text);
    expect(second.headers.get('content-type')).toBe(first.headers.get('content-type'));
    expect(second.headers.get('idempotency-replayed')).toBe('true');
  });

  it('is scoped to the caller', async () => {
    const bob = await newUser(shop);
    const body = { items: [{ productId: chair, quantity: 1 }] };
    const [one, other] = [
      await ada.http.post<OrderDto>('/v1/orders', body, withKey('shared')),
      await bob.http.post<OrderDto>('/v1/orders', body, withKey('shared')),
    ];

    expect([one.status, other.status]).toEqual([201, 201]);
    expect(other.body.id).not.toBe(one.body.id);
  });

  it.each([
    ['missing', undefined, 'idempotency-key-missing'],
    ['empty', '', 'idempotency-key-missing'],
    ['an empty string', '""', 'idempotency-key-invalid'],
    ['too long', 'x'.repeat(256), 'idempotency-key-invalid'],
  ])('answers 400 when the key is %s', async (_, key, code) => {
    const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
    const body = { items: [{ productId: chair, quantity: 1 }] };
    const answer = await ada.http.post<ProblemDocument>('/v1/orders', body, { headers });

    expect([answer.status, answer.body.code]).toEqual([400, code]);
  });

  it('answers 422 when the payload differs', async () => {
    await ada.http.post('/v1/orders', { items: [{ productId: chair, quantity: 1 }] }, withKey('reused'));
    const answer = await ada.http.post<ProblemDocument>(
      '/v1/orders',
      { items: [{ productId: chair, quantity: 2 }] },
      withKey('reused'),
    );

    expect([answer.status, answer.body.code]).toEqual([422, 'idempotency-key-reused']);
  });

  it('lets a caller correct a mistake under the same key', async () => {
    const wrong = await ada.http.post(
      '/v1/orders',
      { items: [{ productId: chair, quantity: 0 }] },
      withKey('corrected'),
    );
    const unknown = await ada.http.post(
      '/v1/orders',
      { items: [{ productId: randomUUID(), quantity: 1 }] },
      withKey('corrected'),
    );
    const right = await ada.http.post(
      '/v1/orders',
      { items: [{ productId: chair, quantity: 1 }] },
      withKey('corrected'),
    );

    expect([wrong.status, unknown.status, right.status]).toEqual([422, 422, 201]);
  });

  it('makes one order of 1,000 concurrent duplicates on two instances', async () => {
    const product = await newProduct(shop, { stock: 1000 });
    const instances = [ada.http, httpClient(await shop.anotherApi()).as(ada.accessToken)];
    const body = { items: [{ productId: product, quantity: 1 }] };
    const answers = await Promise.all(
      Array.from({ length: 1000 }, (_, n) =>
        served(() =>
          (instances[n % 2] as HttpClient).post<{ code?: string }>('/v1/orders', body, withKey('a-thousand')),
        ),
      ),
    );

    const kinds = new Map<string, number>();
    for (const { status, body: answer, headers } of answers) {
      const kind = `${status} ${answer.code ?? headers.get('idempotency-replayed') ?? 'first'}`;
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    expect(kinds.get('201 first')).toBe(1);
    expect(
      [...kinds.keys()].filter(
        (kind) => !['201 first', '201 true', '409 idempotency-key-in-use'].includes(kind),
      ),
    ).toEqual([]);
    expect(await shop.stockOf(product)).toBe(999);
  }, 180_000);
});

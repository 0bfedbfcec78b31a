import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProductDto } from '../../src/modules/products/dto/product.dto.js';
import { newId } from '../../src/platform/database/index.js';
import type { Page, ProblemDocument } from '../../src/platform/http/index.js';
import { httpClient } from '../../local/http.ts';
import { waitFor } from '../../local/wait-for.ts';
import { openShop, type Shop } from './shop.ts';
import { newAdmin, newUser, type TestUser } from '../factories/users.ts';

let shop: Shop;
let admin: TestUser;

beforeAll(async () => {
  shop = await openShop();
  admin = await newAdmin(shop);
});

afterAll(() => shop?.close());

const CHAIR = {
  name: 'Oak Chair',
  description: 'Made to last.',
  price: { amount: 1990, currency: 'EUR' },
  stock: 5,
};

async function chair(changes: object = {}): Promise<{ id: string; etag: string; product: object }> {
  const answer = await admin.http.post<ProductDto>('/v1/products', { ...CHAIR, ...changes });
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`);
  return { id: answer.body.id, etag: answer.headers.get('etag') ?? '', product: answer.body };
}

const read = (id: string, headers: Record<string, string> = {}) =>
  shop.http.get<ProductDto>(`/v1/products/${id}`, { headers });

const change = (id: string, body: unknown, headers: Record<string, string>) =>
  admin.http.patch<ProductDto & ProblemDocument>(`/v1/products/${id}`, body, { headers });

describe('Adding a product', () => {
  it('answers 201 with the product, its location and its ETag', async () => {
    const answer = await admin.http.post<ProductDto>('/v1/products', CHAIR);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe(`/v1/products/${answer.body.id}`);
    expect(answer.headers.get('etag')).toBe('"1-1"');
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      ...CHAIR,
      updatedAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    });
    expect((await read(answer.body.id)).body).toEqual(answer.body);
  });

  it('requires an admin', async () => {
    const customer = await newUser(shop);
    expect((await shop.http.post('/v1/products', CHAIR)).status).toBe(401);
    expect((await customer.http.post('/v1/products', CHAIR)).status).toBe(403);
  });

  it.each([
    ['no name', { name: undefined }, '/name'],
    ['an empty name', { name: ' ' }, '/name'],
    ['a name with a line break', { name: 'Oak\nChair' }, '/name'],
    ['a name with NUL', { name: 'Oak\0' }, '/name'],
    ['a description with NUL', { description: '\0' }, '/description'],
    ['an overlong name', { name: 'x'.repeat(201) }, '/name'],
    ['a negative price', { price: { amount: -1, currency: 'EUR' } }, '/price/amount'],
    ['a price of half a cent', { price: { amount: 0.5, currency: 'EUR' } }, '/price/amount'],
    ['a price beyond 2^53', { price: { amount: 2 ** 53, currency: 'EUR' } }, '/price/amount'],
    ['an unknown currency', { price: { amount: 1, currency: 'euro' } }, '/price/currency'],
    ['a price without currency', { price: { amount: 1 } }, '/price/currency'],
    ['a price without its members', { price: 1990 }, '/price'],
    ['a negative stock', { stock: -1 }, '/stock'],
    ['a stock beyond the column', { stock: 2 ** 31 }, '/stock'],
    ['a stock as text', { stock: '5' }, '/stock'],
    ['an unknown member', { colour: 'red' }, '/colour'],
  ])('rejects %s', async (_, changes, pointer) => {
    const answer = await admin.http.post<ProblemDocument & { errors: { pointer: string }[] }>(
      '/v1/products',
      {
        ...CHAIR,
        ...changes,
      },
    );
    expect(answer.status).toBe(422);
    expect(answer.body.errors.map((error) => error.pointer)).toEqual([pointer]);
  });
});

describe('Reading a product', () => {
  it('needs no token, and returns an ETag', async () => {
    const { id, product } = await chair();
    const answer = await read(id);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(product);
    expect(answer.headers.get('etag')).toBe('"1-1"');
    expect(answer.headers.get('cache-control')).toBe('no-cache');
    expect(answer.headers.get('cache-status')).toBeNull();
  });

  it.each(['"1-1"', 'W/"1-1"', '*', '"7", "1-1"', '"a,b" , W/"1-1"'])(
    'is a 304 when If-None-Match is %s',
    async (tags) => {
      const { id } = await chair();
      const answer = await read(id, { 'if-none-match': tags });
      expect(answer.status).toBe(304);
      expect(answer.headers.get('etag')).toBe('"1-1"');
      expect(answer.text).toBe('');
    },
  );

  it('is a 304 with the same length for HEAD and GET', async () => {
    const { id } = await chair();
    const ask = (method: string) =>
      shop.http.request(method, `/v1/products/${id}`, { headers: { 'if-none-match': '*' } });
    for (const answer of [await ask('GET'), await ask('HEAD')]) {
      expect(answer.status).toBe(304);
      expect(answer.headers.get('etag')).not.toBeNull();
      expect(answer.headers.get('content-length')).toBeNull();
      expect(answer.headers.get('transfer-encoding')).toBeNull();
    }
  });

  // The tag of an earlier release, and of a later one, name the same version in another shape.
  it.each(['"1"', '"2-1"', '"1-2"', '1-1', '""', 'nonsense', '"1-11"'])(
    'is a 200 when If-None-Match is %s',
    async (tags) => {
      const { id } = await chair();
      expect((await read(id, { 'if-none-match': tags })).status).toBe(200);
    },
  );

  it('is a 404 for an unknown id and a 422 for an invalid one', async () => {
    const unknown = await shop.http.get<ProblemDocument>(`/v1/products/${newId()}`);
    expect([unknown.status, unknown.body.code]).toEqual([404, 'product-not-found']);
    const malformed = await shop.http.get<ProblemDocument>('/v1/products/1%27%20OR%201');
    expect([malformed.status, malformed.body.code]).toEqual([422, 'validation-failed']);
  });

  it('answers HEAD like GET, without the body', async () => {
    const { id } = await chair();
    const answer = await shop.http.request('HEAD', `/v1/products/${id}`);
    expect([answer.status, answer.headers.get('etag'), answer.text]).toEqual([200, '"1-1"', '']);
    expect(Number(answer.headers.get('content-length'))).toBeGreaterThan(100);
  });

  it('ignores the case of the id', async () => {
    const { id } = await chair();
    expect((await read(id.toUpperCase())).body.id).toBe(id);
  });

  it('shows the stock that an order has left, with another ETag', async () => {
    const { id } = await chair();
    const customer = await newUser(shop);
    await read(id);
    const items = [{ productId: id, quantity: 2 }];
    const order = await customer.http.post(
      '/v1/orders',
      { items },
      { headers: { 'idempotency-key': newId() } },
    );
    expect(order.status, order.text).toBe(201);
    const answer = await read(id);
    expect(answer.body.stock).toBe(3);
    expect(answer.headers.get('etag')).toBe('"1-2"');
  });
});

describe('Listing products', () => {
  it('is paged, newest first', async () => {
    const made = [await chair(), await chair(), await chair()].map(({ id }) => id);
    const seen: string[] = [];
    let cursor = '';
    do {
      const { status, body } = await shop.http.get<Page<ProductDto>>(`/v1/products?limit=2${cursor}`);
      expect(status).toBe(200);
      seen.push(...body.data.map(({ id }) => id));
      cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`;
    } while (cursor !== '');
    expect(seen.filter((id) => made.includes(id))).toEqual(made.toSorted().toReversed());
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('has an ETag that is valid until something changes', async () => {
    const { id } = await chair();
    const first = await shop.http.get('/v1/products');
    const tag = first.headers.get('etag') ?? '';
    const again = await shop.http.get('/v1/products', { headers: { 'if-none-match': tag } });
    expect([again.status, again.text]).toEqual([304, '']);
    await change(id, { stock: 77 }, { 'if-match': '*' });
    const changed = await shop.http.get<Page<ProductDto>>('/v1/products', {
      headers: { 'if-none-match': tag },
    });
    expect(changed.status).toBe(200);
    expect(changed.body.data.find((product) => product.id === id)?.stock).toBe(77);
  });

  it.each([
    'limit=0',
    'limit=101',
    'limit=1.5',
    'limit=x',
    'cursor=x',
    'cursor=',
    'colour=red',
    'limit=1&limit=2',
  ])('rejects ?%s with the name of the parameter', async (query) => {
    const answer = await shop.http.get<ProblemDocument & { errors: { parameter: string }[] }>(
      `/v1/products?${query}`,
    );
    expect(answer.status).toBe(422);
    expect(answer.body.errors[0]?.parameter).toBe(query.split('=')[0]);
  });
});

describe('Changing a product', () => {
  it('changes the given members and returns the new ETag', async () => {
    const { id, etag, product } = await chair();
    const answer = await change(id, { price: { amount: 2490, currency: 'EUR' } }, { 'if-match': etag });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('etag')).toBe('"1-2"');
    expect(answer.body).toMatchObject({
      ...product,
      price: { amount: 2490, currency: 'EUR' },
      updatedAt: expect.any(String) as string,
    });
    expect((await read(id)).body).toEqual(answer.body);
  });

  it('answers 428 without If-Match', async () => {
    const { id } = await chair();
    const answer = await change(id, { stock: 1 }, {});
    expect([answer.status, answer.body.code]).toEqual([428, 'precondition-required']);
  });

  it.each(['"7"', '"1-7"', 'W/"1-1"', '1-1', '"1-1', 'nonsense', '"99999999999999999999"'])(
    'answers 412 to If-Match: %s',
    async (tag) => {
      const { id } = await chair();
      const answer = await change(id, { stock: 1 }, { 'if-match': tag });
      expect([answer.status, answer.body.code]).toEqual([412, 'stale-version']);
      expect(answer.headers.get('etag')).toBe('"1-1"');
      expect((await read(id)).body.stock).toBe(5);
    },
  );

  it.each(['"1"', '"9-1"'])('accepts %s, the tag of the same version from another release', async (tag) => {
    const { id } = await chair();
    expect((await change(id, { stock: 1 }, { 'if-match': tag })).status).toBe(200);
  });

  it('accepts one of several tags, and *', async () => {
    const { id } = await chair();
    expect((await change(id, { stock: 1 }, { 'if-match': '"9", "1-1"' })).status).toBe(200);
    expect((await change(id, { stock: 2 }, { 'if-match': '*' })).status).toBe(200);
  });

  it('succeeds for one of two admins with the same ETag', async () => {
    const { id, etag } = await chair();
    const answers = await Promise.all([7, 8].map((stock) => change(id, { stock }, { 'if-match': etag })));
    expect(answers.map(({ status }) => status).toSorted((x, y) => x - y)).toEqual([200, 412]);
  });

  it('is a 404 for an unknown product, a 422 for null, a 403 for customers', async () => {
    const { id, etag } = await chair();
    expect((await change(newId(), { stock: 1 }, { 'if-match': etag })).status).toBe(404);
    expect((await change(id, { name: null }, { 'if-match': etag })).status).toBe(422);
    const customer = await newUser(shop);
    expect(
      (await customer.http.patch(`/v1/products/${id}`, {}, { headers: { 'if-match': etag } })).status,
    ).toBe(403);
  });
});

describe('Two instances', () => {
  it('agree about a change after little more than a second', async () => {
    const other = httpClient(await shop.anotherApi());
    const { id } = await chair();
    expect((await other.get<ProductDto>(`/v1/products/${id}`)).body.stock).toBe(5);
    await change(id, { stock: 9 }, { 'if-match': '*' });
    // Told by nobody it would trust its copy for a minute.
    await waitFor(async () => (await other.get<ProductDto>(`/v1/products/${id}`)).body.stock === 9, {
      within: 20_000,
    });
  });
});

describe('While PostgreSQL is frozen', () => {
  beforeAll(async () => {
    await shop.close();
    shop = await openShop({ DATABASE_ACQUIRE_TIMEOUT_MS: '2000', DATABASE_QUERY_TIMEOUT_MS: '2000' });
    admin = await newAdmin(shop);
  });

  it('cached products are served, marked when stale; others are a 503', async () => {
    const [{ id }, { id: unread }] = [await chair(), await chair()];
    await read(id);
    await shop.http.get('/v1/products?limit=3');
    shop.postgres.freeze();
    try {
      const fresh = await read(id);
      expect([fresh.status, fresh.headers.get('cache-status')]).toEqual([200, null]);
      // The list is trusted for a second only.
      const list = await waitFor(async () => {
        const answer = await shop.http.get('/v1/products?limit=3');
        return answer.headers.get('cache-status') ? answer : undefined;
      });
      expect(list.status).toBe(200);
      expect(list.headers.get('cache-status')).toMatch(/^api; hit; ttl=(0|-\d+); detail=source-unavailable$/);
      expect(list.durationMs).toBeLessThan(15_000);

      const missing = await read(unread);
      expect(missing.status).toBe(503);
      expect(missing.headers.get('retry-after')).toMatch(/^\d+$/);
      expect(missing.durationMs).toBeLessThan(15_000);
    } finally {
      shop.postgres.thaw();
    }
    await waitFor(async () => (await read(unread)).status === 200);
    await waitFor(
      async () => (await shop.http.get('/v1/products?limit=3')).headers.get('cache-status') === null,
    );
  });
});

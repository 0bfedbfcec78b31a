import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Product } from '../../src/modules/products/product.entity.js';
import { ProductsCatalogue } from '../../src/modules/products/products.catalogue.js';
import { ProductsRepository } from '../../src/modules/products/products.repository.js';
import { ProductsService } from '../../src/modules/products/products.service.js';
import { CacheFactory } from '../../src/platform/cache/index.js';
import { newId } from '../../src/platform/database/index.js';
import { BusinessRuleError, ClientError } from '../../src/platform/errors/index.js';
import { RedisConnection } from '../../src/platform/redis/index.js';
import { openTestDatabase, type DatabaseRoom, type TestDatabase } from '../support/test-database.js';

let db: TestDatabase;
let products: ProductsRepository;
let service: ProductsService;
let catalogue: ProductsCatalogue;

beforeAll(async () => {
  // What is tested is who gets what, not how fast: a crowd on a busy machine waits longer than callers would.
  db = await openTestDatabase(
    {
      DATABASE_ACQUIRE_TIMEOUT_MS: '20000',
      DATABASE_QUERY_TIMEOUT_MS: '20000',
      DATABASE_STATEMENT_TIMEOUT_MS: '20000',
      DATABASE_LOCK_TIMEOUT_MS: '20000',
      // A copy that is trusted is the very same object.
      CACHE_LOCAL_TTL_MS: '60000',
    },
    undefined,
    [Product],
  );
  ({ products, service, catalogue } = shopIn(db));
}, 60_000);

afterAll(() => db.close());

beforeEach(async () => {
  await db.database.execute({ text: 'TRUNCATE products CASCADE' });
});

/** The feature as one process has it; without Redis, which it must be able to go without. */
function shopIn({ database, dataSource, unitOfWork, settings }: DatabaseRoom) {
  const repository = new ProductsRepository(database);
  const caches = new CacheFactory(new RedisConnection(settings), settings);
  const ofProcess = new ProductsCatalogue(repository, caches);
  return {
    products: repository,
    catalogue: ofProcess,
    service: new ProductsService(dataSource.getRepository(Product), repository, ofProcess, unitOfWork),
    unitOfWork,
  };
}

async function product(
  stock: number,
  changes: { price?: number; currency?: string; name?: string } = {},
): Promise<string> {
  const { price = 1990, currency = 'EUR', name = 'Oak Chair' } = changes;
  const { id } = await service.create({ name, price: { amount: price, currency }, stock });
  return id;
}

async function stateOf(id: string): Promise<{ stock: number; version: number }> {
  const row = await products.findById(id);
  return { stock: row?.stock ?? NaN, version: row?.version ?? NaN };
}

const inTransaction = <T>(work: () => Promise<T>, room: { unitOfWork: DatabaseRoom['unitOfWork'] } = db) =>
  room.unitOfWork.run(work);

describe('Reserving', () => {
  it('reduces the stock and returns the current name and price', async () => {
    const id = await product(5);
    const items = await inTransaction(() => service.reserve([{ productId: id, quantity: 2 }]));
    expect(items).toEqual([
      { productId: id, name: 'Oak Chair', quantity: 2, unitPrice: 1990, currency: 'EUR' },
    ]);
    expect(await stateOf(id)).toEqual({ stock: 3, version: 2 });
  });

  it('keeps the order of the items and adds the quantities of duplicates', async () => {
    const [first, second] = [await product(5), await product(5, { name: 'Lamp', currency: 'SEK' })];
    const items = await inTransaction(() =>
      service.reserve([
        { productId: second, quantity: 1 },
        { productId: first, quantity: 2 },
        { productId: second.toUpperCase(), quantity: 3 },
      ]),
    );
    expect(items.map(({ productId, quantity, currency }) => [productId, quantity, currency])).toEqual([
      [second, 4, 'SEK'],
      [first, 2, 'EUR'],
    ]);
    expect(await stateOf(second)).toEqual({ stock: 1, version: 2 });
  });

  it('reserves nothing when one product is out of stock', async () => {
    const [plenty, scarce] = [await product(5), await product(1)];
    const reserve = () =>
      service.reserve([
        { productId: plenty, quantity: 1 },
        { productId: scarce, quantity: 2 },
      ]);
    const refusal = {
      status: 409,
      code: 'insufficient-stock',
      extensions: { productId: scarce, available: 1 },
    };

    await expect(inTransaction(reserve)).rejects.toMatchObject(refusal);
    // Also when the caller commits all the same, to remember the refusal.
    await inTransaction(async () => expect(reserve()).rejects.toBeInstanceOf(BusinessRuleError));
    expect(await stateOf(plenty)).toEqual({ stock: 5, version: 1 });
    expect(await stateOf(scarce)).toEqual({ stock: 1, version: 1 });
  });

  it('rejects unknown products and reserves nothing of the others', async () => {
    const [known, unknown] = [await product(5), newId()];
    const reserve = () =>
      service.reserve([
        { productId: known, quantity: 1 },
        { productId: unknown, quantity: 1 },
      ]);
    await inTransaction(async () =>
      expect(reserve()).rejects.toMatchObject({
        status: 422,
        code: 'unknown-product',
        extensions: { productId: unknown },
      }),
    );
    expect(await stateOf(known)).toEqual({ stock: 5, version: 1 });
  });

  it('treats quantities beyond the range of a column as out of stock', async () => {
    const id = await product(5);
    const items = [
      { productId: id, quantity: Number.MAX_SAFE_INTEGER },
      { productId: id, quantity: Number.MAX_SAFE_INTEGER },
    ];
    await expect(inTransaction(() => service.reserve(items))).rejects.toMatchObject({
      code: 'insufficient-stock',
    });
  });

  it('gives the last piece to exactly one of two concurrent requests', async () => {
    const id = await product(1);
    const another = shopIn(await db.anotherRoom());
    const outcomes = await Promise.allSettled([
      inTransaction(() => service.reserve([{ productId: id, quantity: 1 }])),
      inTransaction(() => another.service.reserve([{ productId: id, quantity: 1 }]), another),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await stateOf(id)).toEqual({ stock: 0, version: 2 });
  });

  it('lets the second wait for the first, whose rollback returns the stock', async () => {
    const id = await product(1);
    const hold = Promise.withResolvers<void>();
    const taken = Promise.withResolvers<void>();
    const first = inTransaction(async () => {
      await service.reserve([{ productId: id, quantity: 1 }]);
      taken.resolve();
      await hold.promise;
      throw new Error('changed my mind');
    });
    await taken.promise;
    const second = inTransaction(() => service.reserve([{ productId: id, quantity: 1 }]));
    hold.resolve();
    await expect(first).rejects.toThrow('changed my mind');
    expect(await second).toHaveLength(1);
    expect(await stateOf(id)).toEqual({ stock: 0, version: 2 });
  });

  it('sells every piece once to concurrent requests, at the price set meanwhile', async () => {
    const [a, b] = [await product(40), await product(40)];
    const wishes = Array.from({ length: 100 }, (_, i) => {
      const items = [
        { productId: a, quantity: 1 },
        { productId: b, quantity: 1 },
      ];
      // Half of them name the products the other way round: locks are taken in one order all the same.
      return inTransaction(() => service.reserve(i % 2 === 0 ? items : items.toReversed()));
    });
    const reprice = service.change(a, undefined, { price: { amount: 2990, currency: 'EUR' } });
    const outcomes = await Promise.allSettled(wishes);
    await reprice;

    const sold = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(sold).toHaveLength(40);
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.every(({ reason }) => (reason as BusinessRuleError).code === 'insufficient-stock')).toBe(
      true,
    );
    expect(await stateOf(a)).toEqual({ stock: 0, version: 42 });
    expect(await stateOf(b)).toEqual({ stock: 0, version: 41 });
    const prices = new Set(
      sold.map(([first, second]) => (first?.productId === a ? first : second)?.unitPrice),
    );
    expect([...prices].every((price) => price === 1990 || price === 2990)).toBe(true);
  });
});

describe('Releasing', () => {
  it('returns the reserved quantities, and ignores deleted products', async () => {
    const id = await product(5);
    await inTransaction(() => service.reserve([{ productId: id, quantity: 3 }]));
    await inTransaction(() =>
      service.release([
        { productId: id, quantity: 1 },
        { productId: id, quantity: 2 },
        { productId: newId(), quantity: 1 },
      ]),
    );
    expect(await stateOf(id)).toEqual({ stock: 5, version: 3 });
  });
});

describe('Changing', () => {
  it('changes the given members and no others', async () => {
    const id = await product(5);
    const before = await products.findById(id);
    const { etag, version } = await service.change(id, [1], { stock: 0, description: '' });
    expect({ etag, version }).toEqual({ etag: '"1-2"', version: 2 });
    const after = await products.findById(id);
    expect(after).toMatchObject({
      name: 'Oak Chair',
      priceAmount: 1990,
      currency: 'EUR',
      stock: 0,
      description: '',
    });
    expect(after?.updatedAt.getTime()).toBeGreaterThanOrEqual(before?.updatedAt.getTime() ?? Infinity);
  });

  it('rejects an outdated version, and returns the current one', async () => {
    const id = await product(5);
    await inTransaction(() => service.reserve([{ productId: id, quantity: 1 }]));
    await expect(service.change(id, [1], { stock: 5 })).rejects.toMatchObject({
      status: 412,
      code: 'stale-version',
      headers: { ETag: '"1-2"' },
    });
    expect(await stateOf(id)).toEqual({ stock: 4, version: 2 });
    await service.change(id, [1, 2], { stock: 9 });
    expect(await stateOf(id)).toEqual({ stock: 9, version: 3 });
  });

  it('distinguishes an unknown product from a changed one', async () => {
    await expect(service.change(newId(), [1], { stock: 5 })).rejects.toBeInstanceOf(ClientError);
    await expect(service.change(newId(), undefined, { stock: 5 })).rejects.toMatchObject({ status: 404 });
  });
});

describe('The catalogue', () => {
  const stockIn = (body: string | undefined) => (JSON.parse(body ?? '{}') as { stock?: number }).stock;

  it('shows a change from its commit on, and never one that is rolled back', async () => {
    const id = await product(5);
    expect(stockIn((await catalogue.find(id))?.value.body)).toBe(5);
    await inTransaction(async () => {
      await service.reserve([{ productId: id, quantity: 1 }]);
      expect(stockIn((await catalogue.find(id))?.value.body)).toBe(5);
    });
    expect(stockIn((await catalogue.find(id))?.value.body)).toBe(4);
    const failing = inTransaction(async () => {
      await service.reserve([{ productId: id, quantity: 1 }]);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(stockIn((await catalogue.find(id))?.value.body)).toBe(4);
  });

  it('reads outside of the transaction of the first caller', async () => {
    const id = await product(5);
    await inTransaction(async () => {
      await service.change(id, undefined, { stock: 1 });
      expect(stockIn((await catalogue.find(id))?.value.body)).toBe(5);
    });
  });

  it('lists newest first, page by page, each product once', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i += 1) ids.push(await product(i));
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = JSON.parse((await catalogue.page({ limit: 2, cursor })).value.body) as {
        data: { id: string }[];
        nextCursor: string | null;
      };
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    // Ids are in order of time to the millisecond; within one, any order is as good.
    expect(seen).toEqual(ids.toSorted().toReversed());
  });

  it('shows a new and a changed product in the list at once, with another tag', async () => {
    const id = await product(5);
    const before = await catalogue.page({ limit: 20 });
    expect((await catalogue.page({ limit: 20 })).value).toBe(before.value);
    await service.change(id, undefined, { name: 'Elm Chair' });
    const after = await catalogue.page({ limit: 20 });
    expect(after.value.body).toContain('Elm Chair');
    expect(after.value.etag).not.toBe(before.value.etag);
  });

  it('reads pages at any depth by the primary key', async () => {
    await db.database.execute({
      text: `INSERT INTO products (id, name, description, price_amount, currency, stock)
        SELECT uuidv7(), 'p', '', 1, 'EUR', 1 FROM generate_series(1, 20000)`,
    });
    await db.database.execute({ text: 'ANALYZE products' });
    const plans = await db.database.query<{ 'QUERY PLAN': string }>({
      text: `EXPLAIN SELECT id FROM products WHERE id < $1 ORDER BY id DESC LIMIT 21`,
      values: [newId()],
    });
    expect(plans.map((line) => line['QUERY PLAN']).join('\n')).toMatch(
      /Index (Only )?Scan Backward using products_pkey/,
    );
  });
});

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { etagOf } from '../../src/modules/products/product.document.js';
import { ProductsCatalogue } from '../../src/modules/products/products.catalogue.js';
import { ProductsRepository } from '../../src/modules/products/products.repository.js';
import { ProductsService } from '../../src/modules/products/products.service.js';
import { CacheFactory } from '../../src/platform/cache/index.js';
import { SharedCopies } from '../../src/platform/cache/shared-copies.js';
import { loadSettings } from '../../src/config/index.js';
import { PRODUCT } from '../../src/product.js';
import { TransientError } from '../../src/platform/errors/index.js';
import { RedisConnection } from '../../src/platform/redis/index.js';
import { startRedis, type RedisServer } from '../../local/servers/index.js';
import { openTestDatabase, type DatabaseRoom, type TestDatabase } from '../support/test-database.js';
import { waitFor } from '../../local/wait-for.js';

/** Trusts its own copies for so long; short, so that tests need not wait. */
const LOCAL_TTL_MS = 50;

let db: TestDatabase;
let server: RedisServer;
let a: Shop;
let b: Shop;

interface Shop {
  redis: RedisConnection;
  caches: CacheFactory;
  catalogue: ProductsCatalogue;
  service: ProductsService;
  repository: CountingRepository;
}

class CountingRepository extends ProductsRepository {
  loads = 0;

  override findById(id: string) {
    this.loads += 1;
    return super.findById(id);
  }
}

beforeAll(async () => {
  [db, server] = await Promise.all([
    openTestDatabase({ DATABASE_ACQUIRE_TIMEOUT_MS: '600', DATABASE_QUERY_TIMEOUT_MS: '1000' }),
    startRedis(),
  ]);
}, 60_000);

afterAll(() => Promise.all([db.close(), server.stop()]));

beforeEach(async () => {
  await server.flush();
  a = await open(db);
  b = await open(await db.anotherRoom());
});

afterEach(() => {
  for (const { redis, caches } of [a, b]) {
    caches.onApplicationShutdown();
    redis.onApplicationShutdown();
  }
});

/** What one process of the api has of the products. */
async function open({ database, unitOfWork }: DatabaseRoom): Promise<Shop> {
  const settings = loadSettings(
    {
      NODE_ENV: 'test',
      REDIS_URL: server.url(),
      CACHE_LOCAL_TTL_MS: String(LOCAL_TTL_MS),
    },
    PRODUCT,
  );
  const redis = new RedisConnection(settings);
  const caches = new CacheFactory(redis, settings);
  const repository = new CountingRepository(database);
  const catalogue = new ProductsCatalogue(repository, caches);
  const service = new ProductsService(repository, catalogue, unitOfWork);
  await redis.onModuleInit();
  await waitFor(() => redis.isUsable);
  return { redis, caches, catalogue, service, repository };
}

async function product(stock = 5): Promise<string> {
  const { id } = await a.service.create({
    name: 'Oak Chair',
    price: { amount: 1990, currency: 'EUR' },
    stock,
  });
  return id;
}

async function stockSeenBy(shop: Shop, id: string): Promise<number | 'stale' | undefined> {
  const cached = await shop.catalogue.find(id);
  if (cached?.stale) return 'stale';
  return cached && (JSON.parse(cached.value.body) as { stock: number }).stock;
}

/** Megabytes that live on in this process. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

const inRedis = (shop: Shop, id: string) =>
  shop.redis.client.hgetall(shop.redis.key('cache', 'products', id));
const trustEnds = () => new Promise((resolve) => setTimeout(resolve, LOCAL_TTL_MS + 10));

describe('Two processes', () => {
  it('share what one of them has loaded', async () => {
    const id = await product();
    expect(await stockSeenBy(a, id)).toBe(5);
    await waitFor(async () => (await inRedis(a, id)).d);
    expect(await stockSeenBy(b, id)).toBe(5);
    expect(b.repository.loads).toBe(0);
    const life = await a.redis.client.pttl(a.redis.key('cache', 'products', id));
    expect(life).toBeGreaterThan(86_400_000 + 53_000);
    expect(life).toBeLessThan(86_400_000 + 67_000);
  });

  it('see a change of the other one no later than they trust their own copy', async () => {
    const id = await product();
    expect([await stockSeenBy(a, id), await stockSeenBy(b, id)]).toEqual([5, 5]);
    await a.service.change(id, undefined, { stock: 7 });
    expect(await stockSeenBy(a, id)).toBe(7);
    await trustEnds();
    expect(await stockSeenBy(b, id)).toBe(7);
  });

  it('do not let a slow load of the one bury a change of the other', async () => {
    const id = await product();
    const slow = new SharedCopies(b.redis, 'products', 60_000);
    expect(await stockSeenBy(a, id)).toBe(5);
    await a.service.change(id, undefined, { stock: 7 });
    expect(await stockSeenBy(a, id)).toBe(7);
    // What b had read before the change reaches Redis only now.
    await slow.put(id, 1, JSON.stringify({ id, version: 1, etag: etagOf(1), body: '{"stock":5}' }), 60_000);
    await trustEnds();
    expect(await stockSeenBy(b, id)).toBe(7);
  });

  it('neither after a change whose new value nobody has loaded yet', async () => {
    const id = await product();
    const slow = new SharedCopies(b.redis, 'products', 60_000);
    await a.service.change(id, undefined, { stock: 7 });
    await waitFor(async () => (await inRedis(a, id)).v === '2');
    await slow.put(id, 1, JSON.stringify({ id, version: 1, etag: etagOf(1), body: '{"stock":5}' }), 60_000);
    expect(await slow.read(id)).toBeUndefined();
    expect(await stockSeenBy(b, id)).toBe(7);
  });

  it('never go back to an older value that Redis has, having lost the newer one', async () => {
    const id = await product();
    const slow = new SharedCopies(a.redis, 'products', 86_400_000);
    await a.service.change(id, undefined, { stock: 7 });
    expect([await stockSeenBy(a, id), await stockSeenBy(b, id)]).toEqual([7, 7]);
    await waitFor(async () => (await inRedis(a, id)).w === '2');
    await server.flush();
    await slow.put(id, 1, JSON.stringify({ id, version: 1, etag: etagOf(1), body: '{"stock":5}' }), 60_000);
    await trustEnds();
    expect([await stockSeenBy(b, id), await stockSeenBy(a, id)]).toEqual([7, 7]);
    // PostgreSQL has been asked, and Redis knows better again.
    await waitFor(async () => (await inRedis(a, id)).w === '2');
  });

  it('of two releases do not show each other what they render in another shape, but tell each other of changes', async () => {
    const id = await product();
    const old = new SharedCopies(a.redis, 'products', 86_400_000);
    await old.put(id, 1, JSON.stringify({ id, version: 1, etag: '"1"', body: '{"pieces":5}' }), 60_000);
    expect(await stockSeenBy(b, id)).toBe(5);
    await a.service.change(id, undefined, { stock: 7 });
    await waitFor(async () => (await inRedis(a, id)).v === '2');
    expect((await old.read(id))?.outdated).toBe(true);
    await old.put(id, 2, JSON.stringify({ id, version: 2, etag: '"2"', body: '{"pieces":7}' }), 60_000);
    await trustEnds();
    expect(await stockSeenBy(b, id)).toBe(7);
  });

  it('keep the outdated copy for an outage, marked as such', async () => {
    const id = await product();
    expect(await stockSeenBy(a, id)).toBe(5);
    await waitFor(async () => (await inRedis(a, id)).d);
    await a.service.change(id, undefined, { stock: 7 });
    await waitFor(async () => (await inRedis(a, id)).v === '2');
    const copies = new SharedCopies(b.redis, 'products', 86_400_000);
    expect(await copies.read(id)).toMatchObject({ version: 1, freshForMs: 0 });
  });

  it('tell Redis of changes that it has missed when it is back', async () => {
    const id = await product();
    expect(await stockSeenBy(a, id)).toBe(5);
    await waitFor(async () => (await inRedis(a, id)).d);
    server.freeze();
    try {
      await a.service.change(id, undefined, { stock: 7 });
      expect(await stockSeenBy(a, id)).toBe(7);
    } finally {
      server.thaw();
    }
    await waitFor(async () => (await inRedis(b, id)).v === '2', { what: 'the change in Redis' });
    expect(await stockSeenBy(b, id)).toBe(7);
  });

  it('do not fill Redis with ids that do not exist', async () => {
    for (let i = 0; i < 20; i += 1) expect(await a.catalogue.find(crypto.randomUUID())).toBeUndefined();
    expect(await a.redis.client.dbsize()).toBe(0);
  });
});

describe('Pages of the list', () => {
  it('take a bounded amount of memory, however long the descriptions and however many are asked for', async () => {
    await db.database.execute({
      text: `INSERT INTO products (id, name, description, price_amount, currency, stock)
      SELECT uuidv7(), 'Chair ' || n, repeat('long € ', 700), 1, 'EUR', 1 FROM generate_series(1, 300) AS n`,
    });
    const before = heapUsed();
    for (let limit = 1; limit <= 100; limit += 1) {
      const first = await a.catalogue.page({ limit });
      const { nextCursor } = JSON.parse(first.value.body) as { nextCursor: string };
      await a.catalogue.page({ limit, cursor: nextCursor });
    }
    // 16 MiB by default, and what else a process allocates.
    expect(heapUsed() - before).toBeLessThan(24);
  });
});

describe('Reads', () => {
  it('come from PostgreSQL when Redis is frozen, after one time limit', async () => {
    const stocks = Array.from({ length: 20 }, (_, i) => i + 1);
    const ids: string[] = [];
    for (const stock of stocks) ids.push(await product(stock));
    server.freeze();
    try {
      expect(await Promise.all(ids.slice(0, 3).map((id) => stockSeenBy(a, id)))).toEqual([1, 2, 3]);
      await trustEnds();
      const began = performance.now();
      for (const [i, id] of ids.entries()) expect(await stockSeenBy(a, id)).toBe(stocks[i]);
      // A time limit for each of them would be 5 s.
      expect(performance.now() - began).toBeLessThan(3000);
    } finally {
      server.thaw();
    }
  });

  it('come from PostgreSQL when Redis is down', async () => {
    const id = await product();
    await server.kill();
    try {
      await waitFor(() => !a.redis.isUsable);
      expect(await stockSeenBy(a, id)).toBe(5);
    } finally {
      await server.restart();
    }
  });

  it('come from PostgreSQL when Redis is full and takes nothing', async () => {
    const id = await product();
    await a.redis.client.config('SET', 'maxmemory', '1');
    try {
      expect(await stockSeenBy(a, id)).toBe(5);
      await a.service.change(id, undefined, { stock: 7 });
      expect(await stockSeenBy(a, id)).toBe(7);
    } finally {
      await a.redis.client.config('SET', 'maxmemory', '0');
    }
    await waitFor(async () => (await inRedis(a, id)).v === '2', { what: 'the change in Redis' });
  });

  it('come from Redis when PostgreSQL is frozen', async () => {
    const id = await product();
    await stockSeenBy(a, id);
    await waitFor(async () => (await inRedis(a, id)).d);
    db.server.freeze();
    try {
      const began = performance.now();
      expect(await stockSeenBy(b, id)).toBe(5);
      expect(performance.now() - began).toBeLessThan(900);
    } finally {
      db.server.thaw();
    }
  });

  it('are stale, after a second at most, when PostgreSQL is frozen and the copy is outdated', async () => {
    const id = await product();
    await stockSeenBy(a, id);
    await waitFor(async () => (await inRedis(a, id)).d);
    await a.service.change(id, undefined, { stock: 7 });
    await waitFor(async () => (await inRedis(a, id)).v === '2');
    db.server.freeze();
    try {
      const began = performance.now();
      expect([await stockSeenBy(b, id), await stockSeenBy(b, id)]).toEqual(['stale', 'stale']);
      expect(performance.now() - began).toBeLessThan(1900);
    } finally {
      db.server.thaw();
    }
    await waitFor(async () => (await stockSeenBy(b, id)) === 7);
  });

  it('are stale from memory when both are away', async () => {
    const [known, unknown] = [await product(), await product()];
    await stockSeenBy(a, known);
    await trustEnds();
    db.server.freeze();
    server.freeze();
    try {
      expect(await stockSeenBy(a, known)).toBe('stale');
      await expect(stockSeenBy(a, unknown)).rejects.toBeInstanceOf(TransientError);
    } finally {
      db.server.thaw();
      server.thaw();
    }
    await waitFor(async () => (await stockSeenBy(a, known)) === 5);
  });
});

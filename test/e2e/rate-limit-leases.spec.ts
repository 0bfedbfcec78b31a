import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadSettings } from '../../src/config/index.js';
import { LeaseStorage } from '../../src/platform/rate-limit/lease-storage.js';
import { quotaOf } from '../../src/platform/rate-limit/quota.js';
import { RedisConnection } from '../../src/platform/redis/index.js';
import { startRedis, type RedisServer } from '../../local/servers/index.js';
import { waitFor } from '../../local/wait-for.js';
import { PATIENT_PROCESS } from '../support/patience.js';

let server: RedisServer;
let processes: Process[] = [];

interface Process {
  storage: LeaseStorage;
  redis: RedisConnection;
}

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server.stop());

beforeEach(() => server.flush());

afterEach(() => {
  for (const { storage, redis } of processes) {
    storage.onApplicationShutdown();
    redis.onApplicationShutdown();
  }
  processes = [];
});

/** What one process of the api has of the limit. */
async function start(env: Record<string, string> = {}): Promise<Process> {
  const redis = new RedisConnection(
    loadSettings({ NODE_ENV: 'test', ...PATIENT_PROCESS, ...env, REDIS_URL: server.url() }),
  );
  const storage = new LeaseStorage(redis);
  await redis.onModuleInit();
  await waitFor(() => redis.isUsable);
  const started = { storage, redis };
  processes.push(started);
  return started;
}

const minute = (limit: number) => quotaOf('default', limit, 60_000);

/** Sends requests one after another and counts those that are admitted. */
async function admitted(
  storages: LeaseStorage[],
  requests: number,
  quota = minute(600),
  key = 'user:1',
): Promise<number> {
  let count = 0;
  for (let i = 0; i < requests; i += 1) {
    const taken = await storages[i % storages.length]?.take(key, quota);
    if (taken?.allowed) count += 1;
  }
  return count;
}

async function commandsSeenBy(redis: RedisConnection): Promise<number> {
  const info = await redis.client.info('commandstats');
  const calls = /cmdstat_evalsha:calls=(\d+)/.exec(info)?.[1] ?? '0';
  return Number(calls);
}

describe('A limit over two processes', () => {
  for (const limit of [5, 10, 50, 100, 600, 6000]) {
    it(`of ${limit} admits ${limit} within the documented error, over both processes`, async () => {
      const [a, b] = [await start(), await start()];
      const count = await admitted([a.storage, b.storage], limit * 2, minute(limit));
      // No more than each process's credit beyond the limit: nothing for small limits, 1 % each for large ones.
      expect(count).toBeGreaterThanOrEqual(Math.floor(limit * 0.95));
      expect(count).toBeLessThanOrEqual(limit + 2 * Math.floor(limit * 0.01));
    });
  }

  it('holds for many concurrent requests', async () => {
    const [a, b] = [await start(), await start()];
    const answers = await Promise.all(
      Array.from({ length: 1500 }, (_, i) =>
        Promise.resolve((i % 2 === 0 ? a : b).storage.take('user:1', minute(600))),
      ),
    );
    const count = answers.filter(({ allowed }) => allowed).length;
    expect(count).toBeGreaterThanOrEqual(570);
    expect(count).toBeLessThanOrEqual(612);
  });

  it('counts each caller separately', async () => {
    const { storage } = await start();
    expect(await admitted([storage], 20, minute(10), 'user:1')).toBe(10);
    expect(await admitted([storage], 20, minute(10), 'user:2')).toBe(10);
  });

  it('returns unused leases to other processes', async () => {
    const [a, b] = [await start(), await start()];
    // Enough to hold leases of the largest size.
    expect(await admitted([a.storage], 200)).toBe(200);
    let rest = 0;
    await waitFor(
      async () => {
        rest += await admitted([b.storage], 100);
        return rest >= 400;
      },
      { every: 100, what: 'the rest of the quota' },
    );
    expect(rest).toBeLessThanOrEqual(412);
  });

  it('asks Redis for few requests, and for none of callers with few requests', async () => {
    const { storage, redis } = await start();
    const before = await commandsSeenBy(redis);
    await admitted([storage], 2, minute(600), 'user:rare');
    expect(await commandsSeenBy(redis)).toBe(before);
    await admitted([storage], 600, minute(600), 'user:busy');
    expect((await commandsSeenBy(redis)) - before).toBeLessThan(60);
  });

  it('keeps no request waiting after an unused lease was returned', async () => {
    const { storage, redis } = await start();
    await admitted([storage], 30);
    const counted = () => redis.client.get(redis.key('rate-limit', 'user:1'));
    await waitFor(async () => (await counted()) === '30', { what: 'the return of the lease' });
    const next = Array.from({ length: 6 }, () => storage.take('user:1', minute(600)));
    expect(next).toEqual(next.map(() => expect.objectContaining({ allowed: true }) as unknown));
  });

  it('answers synchronously while it has a lease', async () => {
    const { storage } = await start();
    await admitted([storage], 50, minute(100_000));
    expect(storage.take('user:1', minute(100_000))).toMatchObject({ allowed: true });
  });

  it('starts again with the next window, the same for all', async () => {
    const quota = quotaOf('default', 10, 5000);
    const [a, b] = [await start(), await start()];
    expect(await admitted([a.storage, b.storage], 15, quota)).toBe(10);
    const refused = await b.storage.take('user:1', quota);
    expect(refused).toMatchObject({ allowed: false, remaining: 0 });
    expect(refused.resetSeconds).toBeLessThanOrEqual(5);
    for (const { storage } of [a, b])
      await waitFor(async () => (await storage.take('user:1', quota)).allowed, { what: 'the next window' });
    expect(await admitted([a.storage, b.storage], 15, quota)).toBe(8);
  });

  it('reports what is left and for how long', async () => {
    const { storage } = await start();
    const first = await storage.take('user:1', minute(10));
    expect(first).toEqual({ allowed: true, remaining: 9, resetSeconds: expect.closeTo(60, -1) as number });
    expect(first.resetSeconds).toBeLessThanOrEqual(60);
    await admitted([storage], 9, minute(10));
    expect(await storage.take('user:1', minute(10))).toMatchObject({ allowed: false, remaining: 0 });
  });

  it('implements the storage interface of the library', async () => {
    const { storage } = await start();
    expect(await storage.increment('k', 60_000, 2, 0, 'default')).toEqual({
      totalHits: 1,
      timeToExpire: expect.closeTo(60, -1) as number,
      isBlocked: false,
      timeToBlockExpire: 0,
    });
    await storage.increment('k', 60_000, 2, 0, 'default');
    expect(await storage.increment('k', 60_000, 2, 0, 'default')).toEqual({
      totalHits: 3,
      timeToExpire: expect.closeTo(60, -1) as number,
      isBlocked: true,
      timeToBlockExpire: expect.closeTo(60, -1) as number,
    });
  });
});

describe('When Redis is down', () => {
  it('each process applies the limit by itself, at once when Redis is down', async () => {
    const [a, b] = [await start(), await start()];
    await server.kill();
    try {
      await waitFor(() => !a.redis.isUsable && !b.redis.isUsable);
      const began = performance.now();
      expect(await admitted([a.storage], 900)).toBe(600);
      expect(await admitted([b.storage], 900)).toBe(600);
      // One time limit each would be hours.
      expect(performance.now() - began).toBeLessThan(30_000);
    } finally {
      await server.restart();
    }
  });

  it('a frozen Redis costs one caller one timeout, and the next ones nothing', async () => {
    const { storage } = await start({ REDIS_COMMAND_TIMEOUT_MS: '1000' });
    server.freeze();
    try {
      const began = performance.now();
      const crowd = await Promise.all(
        Array.from({ length: 200 }, (_, i) => Promise.resolve(storage.take(`user:${i}`, minute(50)))),
      );
      expect(crowd.every(({ allowed }) => allowed)).toBe(true);
      // One after the other would be 200 s.
      expect(performance.now() - began).toBeLessThan(30_000);
      const then = performance.now();
      expect(await admitted([storage], 100, minute(50), 'user:1')).toBe(49);
      // One time limit each would be 50 s at least.
      expect(performance.now() - then).toBeLessThan(30_000);
    } finally {
      server.thaw();
    }
  });

  it('requests admitted meanwhile count when Redis is back, even when it is empty', async () => {
    const [a, b] = [await start(), await start()];
    expect(await admitted([a.storage], 30, minute(100))).toBe(30);
    await server.kill();
    await waitFor(() => !a.redis.isUsable && !b.redis.isUsable);
    expect(await admitted([a.storage], 30, minute(100))).toBe(30);
    await server.restart();
    await waitFor(() => a.redis.isUsable && b.redis.isUsable);
    let onceMore = 0;
    await waitFor(async () => {
      onceMore += await admitted([a.storage], 1, minute(100));
      return (await a.redis.client.dbsize()) > 0;
    });
    const rest = await admitted([b.storage, a.storage], 100, minute(100));
    expect(60 + onceMore + rest).toBeGreaterThanOrEqual(95);
    expect(60 + onceMore + rest).toBeLessThanOrEqual(102);
  });

  it('an exhausted quota stays exhausted', async () => {
    const { storage, redis } = await start();
    expect(await admitted([storage], 20, minute(10))).toBe(10);
    await server.kill();
    try {
      await waitFor(() => !redis.isUsable);
      expect(await admitted([storage], 20, minute(10))).toBe(0);
    } finally {
      await server.restart();
    }
  });

  it('a process that was busy does not take this for an outage', async () => {
    const { redis } = await start({ REDIS_COMMAND_TIMEOUT_MS: '1000' });
    const answer = redis.run((client) => client.ping());
    // It is sent in the microtask before this one, so that its answer arrives during the stall.
    await Promise.resolve();
    // Leaves the processor to Redis.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000);
    expect(await answer).toBe('PONG');
    expect(redis.isUsable).toBe(true);
  });

  it('a Redis that rejects commands counts as down', async () => {
    const { storage, redis } = await start();
    await redis.client.config('SET', 'maxmemory', '1');
    try {
      expect(await admitted([storage], 20, minute(10))).toBe(10);
    } finally {
      await redis.client.config('SET', 'maxmemory', '0');
    }
  });
});

describe('When Redis loses its data', () => {
  const limit = 300;
  const loseData = async (): Promise<void> => server.flush();
  const restartEmpty = async (): Promise<void> => {
    await server.kill();
    await waitFor(() => processes.every(({ redis }) => !redis.isUsable));
    await server.restart();
    await waitFor(() => processes.every(({ redis }) => redis.isUsable));
  };

  for (const [what, happens] of [
    ['without its processes noticing', loseData],
    ['by a restart', restartEmpty],
  ] as const) {
    it(`${what}, a quota that two processes have exhausted stays exhausted`, async () => {
      const [a, b] = [await start(), await start()];
      const before = await admitted([a.storage, b.storage], 2 * limit, minute(limit));

      await happens();

      let more = 0;
      const until = performance.now() + 3000;
      while (performance.now() < until) {
        more += await admitted([a.storage, b.storage], 100, minute(limit));
        await delay(20);
      }
      expect(before + more).toBeLessThanOrEqual(limit * 1.1);
    });

    for (const [who, asked] of [
      ['either process', [0, 1]],
      ['only one of them', [0]],
    ] as const) {
      it(`${what}, the rest of a quota is unchanged, asked of ${who}`, async () => {
        const storages = [await start(), await start()].map(({ storage }) => storage);
        const before = await admitted(storages, 200, minute(limit));

        await happens();

        let more = 0;
        const askOn = async () => {
          more += await admitted(
            asked.map((i) => storages[i] as LeaseStorage),
            20,
            minute(limit),
          );
          return before + more >= limit * 0.95;
        };
        await waitFor(askOn, { what: 'the rest of the quota' });
        const until = performance.now() + 1000;
        while (performance.now() < until) {
          await askOn();
          await delay(20);
        }
        expect(before + more).toBeLessThanOrEqual(limit * 1.1);
      });
    }
  }
});

describe('A process that stops', () => {
  it('returns its unused leases', async () => {
    const [a, b] = [await start(), await start()];
    expect(await admitted([a.storage], 30, minute(300))).toBe(30);

    await a.storage.beforeApplicationShutdown();
    a.redis.onApplicationShutdown();

    expect(await admitted([b.storage], 400, minute(300))).toBeGreaterThanOrEqual(270);
  });
});

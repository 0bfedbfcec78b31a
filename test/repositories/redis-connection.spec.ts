import { Logger } from '@nestjs/common';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  vi,
  type MockInstance,
} from 'vitest';
import { LoginLimiter } from '../../src/modules/auth/login-limiter.js';
import { PRODUCT } from '../../src/product.js';
import { loadSettings } from '../../src/config/index.js';
import { RedisConnection } from '../../src/platform/redis/index.js';
import { FaultInjector } from '../../src/platform/resilience/index.js';
import { startRedis, type RedisServer } from '../../local/servers/redis.ts';
import { waitFor } from '../../local/wait-for.ts';

/** Longer than the timeout of a few commands, and far shorter than that of a hundred. */
const BOUND_MS = 10_000;
/** A busy machine must not look like a Redis that is down; tests of the timeout itself use a short one. */
const PATIENT = { REDIS_COMMAND_TIMEOUT_MS: '10000' };
const IMPATIENT = { REDIS_COMMAND_TIMEOUT_MS: '150' };

describe('on a real Redis', () => {
  let server: RedisServer;
  let warn: MockInstance;
  let log: MockInstance;
  const open: RedisConnection[] = [];

  beforeAll(async () => {
    server = await startRedis();
  });

  afterAll(() => server?.stop());

  beforeEach(async () => {
    warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
    log = vi.spyOn(Logger.prototype, 'log').mockReturnValue();
    await server.flush();
  });

  afterEach(() => {
    for (const connection of open.splice(0)) connection.onApplicationShutdown();
    vi.restoreAllMocks();
  });

  async function start(
    environment?: Record<string, string>,
    faults?: FaultInjector,
  ): Promise<RedisConnection> {
    const connection = new RedisConnection(settings(environment), faults);
    open.push(connection);
    await connection.onModuleInit();
    return connection;
  }

  /** Usable, also where the first connection takes longer than the start waits for it. */
  async function connect(
    environment?: Record<string, string>,
    faults?: FaultInjector,
  ): Promise<RedisConnection> {
    const connection = await start(environment, faults);
    await waitFor(() => connection.isUsable, { what: 'the connection' });
    return connection;
  }

  const settings = (environment: Record<string, string> = {}) =>
    loadSettings({ REDIS_URL: server.url(), ...PATIENT, ...environment }, PRODUCT);

  const answers = (redis: RedisConnection): Promise<unknown> =>
    waitFor(() => redis.run((client) => client.ping()), { what: 'an answer' });

  describe('RedisConnection', () => {
    it('is usable as soon as the module is', async () => {
      const redis = await start();
      expect(redis.isUsable).toBe(true);
      expect(await redis.run((client) => client.incr(redis.key('a', 'b')))).toBe(1);
      expect(await redis.client.keys('*')).toEqual(['{holdfast}:a:b']);
    });

    it('passes on answers of Redis, and does not count an error reply as an outage', async () => {
      const redis = await connect();
      await redis.run((client) => client.set('text', 'x'));
      await expect(redis.run((client) => client.incr('text'))).rejects.toThrow('not an integer');
      expect(redis.isUsable).toBe(true);
    });

    it('lets few callers wait for a frozen server, and recovers by itself', async () => {
      const redis = await connect(IMPATIENT);
      server.freeze();
      try {
        const started = performance.now();
        await expect(redis.run((client) => client.incr('n'))).rejects.toMatchObject({
          status: 503,
          code: 'redis-unavailable',
        });
        expect(performance.now() - started).toBeLessThan(BOUND_MS);
        const again = performance.now();
        for (let i = 0; i < 100; i++) await redis.run((client) => client.incr('n')).catch(() => undefined);
        expect(performance.now() - again).toBeLessThan(BOUND_MS);
        expect(redis.isUsable).toBe(false);
      } finally {
        server.thaw();
      }
      await answers(redis);
    });

    it('recovers in time also when the clock was set back meanwhile', async () => {
      const faults = new FaultInjector();
      const redis = await connect(IMPATIENT, faults);
      const [target] = faults.targets;
      faults.set(target!, { kind: 'block' });
      await expect(redis.run((client) => client.incr('n'))).rejects.toMatchObject({ status: 503 });
      vi.useFakeTimers({ toFake: ['Date'] });
      try {
        vi.setSystemTime(Date.now() - 24 * 3_600_000);
        faults.clear();
        await waitFor(() => redis.isUsable, { what: 'a probe' });
      } finally {
        vi.useRealTimers();
      }
    });

    it('fails at once while the server is down, and recovers by itself', async () => {
      const redis = await connect(IMPATIENT);
      await server.kill();
      const started = performance.now();
      await expect(redis.run((client) => client.incr('n'))).rejects.toMatchObject({
        code: 'redis-unavailable',
      });
      expect(performance.now() - started).toBeLessThan(BOUND_MS);
      await server.restart();
      await answers(redis);
    });

    it('starts without a server, in a short time', async () => {
      await server.kill();
      try {
        const started = performance.now();
        const redis = await start();
        expect(performance.now() - started).toBeLessThan(BOUND_MS);
        expect(redis.isUsable).toBe(false);
      } finally {
        await server.restart();
      }
    });

    it('logs once that the server is down and once that it is back', async () => {
      const redis = await connect();
      await server.kill();
      await waitFor(() => warn.mock.calls.length > 0);
      for (let i = 0; i < 10; i++) await redis.run((client) => client.incr('n')).catch(() => undefined);
      await server.restart();
      await waitFor(() => redis.isUsable);
      expect(warn).toHaveBeenCalledTimes(1);
      expect(log).toHaveBeenCalledTimes(1);
    });
  });

  describe('LoginLimiter', () => {
    const wrong = () => Promise.resolve(undefined);
    const right = () => Promise.resolve('user');

    async function limiter(environment?: Record<string, string>): Promise<LoginLimiter> {
      return new LoginLimiter(await connect(environment), settings({ AUTH_LOGIN_MAX_FAILURES: '3' }));
    }

    it('counts the failures of all processes together', async () => {
      const [one, other] = [await limiter(), await limiter()];
      await one.attempt('ada', '192.0.2.1', wrong);
      await one.attempt('ada', '192.0.2.1', wrong);
      await other.attempt('ada', '192.0.2.1', wrong);
      for (const process of [one, other]) {
        await expect(process.attempt('ada', '192.0.2.1', right)).rejects.toMatchObject({ status: 429 });
        expect(await process.attempt('ada', '192.0.2.2', right)).toBe('user');
      }
    });

    it('forgets in all processes after a success', async () => {
      const [one, other] = [await limiter(), await limiter()];
      await one.attempt('ada', '192.0.2.1', wrong);
      await one.attempt('ada', '192.0.2.1', wrong);
      await other.attempt('ada', '192.0.2.1', right);
      for (let i = 0; i < 3; i++) await one.attempt('ada', '192.0.2.1', wrong);
      await expect(other.attempt('ada', '192.0.2.1', right)).rejects.toMatchObject({ status: 429 });
    });

    it('stores no account name in Redis, and nothing beyond the window', async () => {
      const redis = await connect();
      const logins = new LoginLimiter(redis, settings({ AUTH_LOGIN_WINDOW_SECONDS: '60' }));
      await logins.attempt('ada@example.com', '192.0.2.1', wrong);
      const keys = await redis.client.keys('*');
      expect(keys).toHaveLength(3);
      for (const key of keys) {
        expect(key).not.toContain('ada');
        expect(await redis.client.ttl(key)).toBeGreaterThan(0);
      }
    });

    it('continues to count in the process while Redis is frozen, without delaying logins', async () => {
      const logins = await limiter(IMPATIENT);
      server.freeze();
      try {
        const started = performance.now();
        for (let i = 0; i < 3; i++) expect(await logins.attempt('ada', '192.0.2.1', wrong)).toBeUndefined();
        await expect(logins.attempt('ada', '192.0.2.1', right)).rejects.toMatchObject({ status: 429 });
        expect(await logins.attempt('grace', '192.0.2.1', right)).toBe('user');
        expect(performance.now() - started).toBeLessThan(BOUND_MS);
      } finally {
        server.thaw();
      }
    });
  });
});

import type { ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { SkipThrottle, Throttle } from '@nestjs/throttler';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadSettings } from '../../config/index.js';
import { ClientError } from '../errors/index.js';
import { RedisConnection } from '../redis/index.js';
import { LeaseStorage } from './lease-storage.js';
import { RateLimitGuard } from './rate-limit.guard.js';
import { RateLimiter } from './rate-limiter.js';

class Library {
  read(): void {}

  list(): void {}

  @Throttle({ default: { limit: 2, ttl: 10_000 } })
  login(): void {}

  @SkipThrottle()
  probe(): void {}

  @Throttle({
    default: { limit: (context: ExecutionContext) => (roleOf(context) === 'admin' ? 3 : 1), ttl: 10_000 },
  })
  report(): void {}

  @Throttle({ default: { limit: 1, ttl: 10_000, getTracker: (request) => String(request.tenant) } })
  byTenant(): void {}
}

const roleOf = (context: ExecutionContext) =>
  context.switchToHttp().getRequest<{ caller?: { role: string } }>().caller?.role;

interface Call {
  ip?: string;
  userId?: string;
  role?: string;
  tenant?: string;
}

/** A guard without Redis: it counts by itself. */
async function guardWith(env: Record<string, string> = {}, throttlers?: object[]) {
  const settings = loadSettings({ RATE_LIMIT_REQUESTS: '3', RATE_LIMIT_WINDOW_SECONDS: '60', ...env });
  const { requests: limit, windowSeconds } = settings.rateLimit;
  const storage = new LeaseStorage(new RedisConnection(settings));
  const options = {
    throttlers: throttlers ?? [{ name: 'default', limit, ttl: windowSeconds * 1000 }],
    storage,
  };
  const reflector = new Reflector();
  const limiter = new RateLimiter(storage, settings);
  const guard = new RateLimitGuard(options as never, storage, reflector, limiter, settings);
  await guard.onModuleInit();

  const call = (
    method: keyof Library,
    { ip = '203.0.113.1', userId, role = 'customer', tenant }: Call = {},
  ) => {
    const headers: Record<string, string> = {};
    const reply = {
      header(name: string, value: string) {
        headers[name] = value;
        return reply;
      },
    };
    const request = { ip, tenant, caller: userId === undefined ? undefined : { userId, role } };
    const context = {
      getClass: () => Library,
      getHandler: () => Library.prototype[method],
      switchToHttp: () => ({ getRequest: () => request, getResponse: () => reply }),
    } as unknown as ExecutionContext;
    return { headers, enter: () => guard.canActivate(context) as boolean | Promise<boolean>, request, reply };
  };
  return { call, limiter, reflector };
}

type Calls = Awaited<ReturnType<typeof guardWith>>['call'];

/** How many of these requests are admitted. */
async function admitted(
  call: Calls,
  count: number,
  method: keyof Library,
  options: Call = {},
): Promise<number> {
  let through = 0;
  for (let i = 0; i < count; i += 1) {
    try {
      if (await call(method, options).enter()) through += 1;
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
    }
  }
  return through;
}

describe('RateLimitGuard', () => {
  // No window may end, or be a second older, while a test is at work.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('returns a plain boolean and sets the policy header', async () => {
    const { call } = await guardWith();
    const { enter, headers } = call('read');
    expect(enter()).toBe(true);
    expect(headers).toEqual({ 'RateLimit-Policy': '"default";q=3;w=60', RateLimit: '"default";r=2;t=60' });
  });

  it('reads the metadata of a route once', async () => {
    const { call, reflector } = await guardWith({ RATE_LIMIT_REQUESTS: '100' });
    await call('read').enter();
    const lookups = vi.spyOn(reflector, 'getAllAndOverride');
    await admitted(call, 5, 'read');
    expect(lookups).not.toHaveBeenCalled();
  });

  it('counts all routes of a caller together, and each caller separately', async () => {
    const { call } = await guardWith();
    expect(await admitted(call, 2, 'read', { userId: 'u1' })).toBe(2);
    expect(await admitted(call, 2, 'list', { userId: 'u1' })).toBe(1);
    expect(await admitted(call, 5, 'list', { userId: 'u2' })).toBe(3);
    expect(await admitted(call, 5, 'list')).toBe(3);
  });

  it('rejects with Retry-After', async () => {
    const { call } = await guardWith();
    await admitted(call, 3, 'read');
    const { enter, headers } = call('read');
    expect(enter).toThrow(
      expect.objectContaining({
        status: 429,
        code: 'quota-exceeded',
        headers: { 'Retry-After': '60' },
      }) as Error,
    );
    expect(headers.RateLimit).toBe('"default";r=0;t=60');
  });

  it('treats addresses of one IPv6 network as one, and a mapped IPv4 address as IPv4', async () => {
    const { call } = await guardWith();
    expect(await admitted(call, 2, 'read', { ip: '2001:db8::1' })).toBe(2);
    expect(await admitted(call, 2, 'read', { ip: '2001:db8::2' })).toBe(1);
    expect(await admitted(call, 2, 'read', { ip: '2001:db8:0:1::1' })).toBe(2);
    expect(await admitted(call, 2, 'read', { ip: '::ffff:192.0.2.1' })).toBe(2);
    expect(await admitted(call, 2, 'read', { ip: '192.0.2.1' })).toBe(1);
  });

  it('does not let one network multiply the quota by creating accounts', async () => {
    const { call } = await guardWith({ RATE_LIMIT_CALLERS_PER_NETWORK: '2' });
    const from = async (ip: string, users: number) => {
      const through: number[] = [];
      for (let i = 0; i < users; i++)
        through.push(await admitted(call, 3, 'read', { ip, userId: `${ip}-${i}` }));
      return through;
    };
    expect(await from('203.0.113.7', 3)).toEqual([3, 3, 0]);
    expect(await from('203.0.113.8', 1)).toEqual([3]);
    const { enter, headers } = call('read', { ip: '203.0.113.7', userId: 'one more' });
    expect(enter).toThrow(
      expect.objectContaining({ status: 429, extensions: { 'violated-policies': ['network'] } }) as Error,
    );
    expect(headers['RateLimit-Policy']).toBe('"default";q=3;w=60, "network";q=6;w=60');
    expect(headers.RateLimit).toBe('"default";r=2;t=60, "network";r=0;t=60');
  });

  it('does not let one caller exhaust the quota of its network after its own', async () => {
    const { call } = await guardWith({ RATE_LIMIT_CALLERS_PER_NETWORK: '2' });
    expect(await admitted(call, 50, 'read', { userId: 'insistent' })).toBe(3);
    expect(await admitted(call, 3, 'read', { userId: 'bystander' })).toBe(3);
  });

  it('honours @Throttle, with separate counters, and @SkipThrottle', async () => {
    const { call } = await guardWith();
    expect(await admitted(call, 5, 'login')).toBe(2);
    expect(await admitted(call, 5, 'read')).toBe(3);
    expect(await admitted(call, 5, 'probe')).toBe(5);
    const { enter, headers } = call('login', { ip: '203.0.113.2' });
    await enter();
    expect(headers['RateLimit-Policy']).toBe('"default-login";q=2;w=10');
    const skipped = call('probe');
    await skipped.enter();
    expect(skipped.headers).toEqual({});
  });

  it('honours limits and trackers that depend on the request', async () => {
    const { call } = await guardWith();
    expect(await admitted(call, 5, 'report', { userId: 'u1' })).toBe(1);
    expect(await admitted(call, 5, 'report', { userId: 'u2', role: 'admin' })).toBe(3);
    expect(await admitted(call, 5, 'byTenant', { userId: 'u1', tenant: 't1' })).toBe(1);
    expect(await admitted(call, 5, 'byTenant', { userId: 'u2', tenant: 't1' })).toBe(0);
    expect(await admitted(call, 5, 'byTenant', { userId: 'u2', tenant: 't2' })).toBe(1);
  });

  it('applies several policies at once', async () => {
    const { call } = await guardWith({}, [
      { name: 'burst', limit: 2, ttl: 1000 },
      { name: 'default', limit: 100, ttl: 60_000 },
    ]);
    const { enter, headers } = call('read');
    await enter();
    expect(headers['RateLimit-Policy']).toBe('"burst";q=2;w=1, "default";q=100;w=60');
    expect(headers.RateLimit).toBe('"burst";r=1;t=1, "default";r=99;t=60');
    expect(await admitted(call, 5, 'read')).toBe(1);
    expect(call('read').enter).toThrow(
      expect.objectContaining({ extensions: { 'violated-policies': ['burst'] } }) as Error,
    );
  });

  it('counts what other guards reject, and rejects it itself beyond the limit', async () => {
    const { call, limiter } = await guardWith();
    const { request, reply } = call('read');
    const refuse = () => limiter.countRefused(request as never, reply as never);
    for (let i = 0; i < 3; i += 1) expect(refuse).not.toThrow();
    expect(refuse).toThrow(ClientError);
    expect(await admitted(call, 1, 'read')).toBe(0);
    expect(await admitted(call, 1, 'read', { userId: 'u1' })).toBe(1);
  });

  it('allows everything, uncounted, when limits are off', async () => {
    const { call, limiter } = await guardWith({ RATE_LIMIT_ENABLED: 'false' });
    expect(await admitted(call, 10, 'read')).toBe(10);
    const { enter, headers, request, reply } = call('login');
    await enter();
    for (let i = 0; i < 5; i += 1) await limiter.countRefused(request as never, reply as never);
    expect(headers).toEqual({});
  });
});

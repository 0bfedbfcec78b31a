import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RedisConnection } from '../../platform/redis/index.js';
import { FailureLimit } from './failure-limit.js';

/** With Redis down: this spec shows the rules, which do not depend on where the count is. */
const noRedis = {
  client: {},
  key: (...parts: string[]) => parts.join(':'),
  run: () => Promise.reject(new Error('away')),
} as unknown as RedisConnection;

const succeed = () => Promise.resolve(true);
const fail = () => Promise.resolve(false);

/** An attempt that ends when the test says so. */
function pending() {
  let settle!: (succeeded: boolean) => void;
  let begun = false;
  const outcome = new Promise<boolean>((resolve) => (settle = resolve));
  return {
    settle,
    get begun() {
      return begun;
    },
    attempt: () => {
      begun = true;
      return outcome;
    },
  };
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('FailureLimit', () => {
  let limit: FailureLimit;

  function open(options: { max?: number; windowSeconds?: number; forgiving?: boolean } = {}): void {
    limit = new FailureLimit(noRedis, {
      name: 'test',
      max: 3,
      windowSeconds: 60,
      forgiving: true,
      ...options,
    });
  }

  beforeEach(() => open());
  afterEach(() => {
    vi.useRealTimers();
  });

  async function failTimes(times: number, key = 'key'): Promise<void> {
    for (let i = 0; i < times; i++) expect(await limit.attempt(key, fail)).toBe(false);
  }

  it('allows failures up to its maximum and answers 429 after that, also to attempts that would succeed', async () => {
    await failTimes(3);
    await expect(limit.attempt('key', succeed)).rejects.toMatchObject({
      status: 429,
      code: 'quota-exceeded',
    });
  });

  it('reports when the window ends', async () => {
    await failTimes(3);
    const refusal = await limit.attempt('key', succeed).catch((error: unknown) => error);
    const seconds = Number((refusal as { headers: Record<string, string> }).headers['Retry-After']);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
  });

  it('counts each key separately', async () => {
    await failTimes(3);
    expect(await limit.attempt('another', succeed)).toBe(true);
  });

  it('forgets failures after a success when it is forgiving', async () => {
    await failTimes(2);
    expect(await limit.attempt('key', succeed)).toBe(true);
    await failTimes(3);
    await expect(limit.attempt('key', succeed)).rejects.toMatchObject({ status: 429 });
  });

  it('remembers them when it is not', async () => {
    open({ forgiving: false });
    await failTimes(2);
    expect(await limit.attempt('key', succeed)).toBe(true);
    await failTimes(1);
    await expect(limit.attempt('key', succeed)).rejects.toMatchObject({ status: 429 });
  });

  it('never counts successes', async () => {
    for (let i = 0; i < 20; i++) expect(await limit.attempt('key', succeed)).toBe(true);
  });

  it('does not count an attempt that failed for another reason', async () => {
    for (let i = 0; i < 5; i++) {
      await expect(limit.attempt('key', () => Promise.reject(new Error('no database')))).rejects.toThrow(
        'no database',
      );
    }
    expect(await limit.attempt('key', succeed)).toBe(true);
  });

  it('starts again when the window is over', async () => {
    vi.useFakeTimers();
    open({ max: 1, windowSeconds: 60 });
    await failTimes(1);
    await expect(limit.attempt('key', succeed)).rejects.toMatchObject({ status: 429 });
    vi.advanceTimersByTime(60_001);
    expect(await limit.attempt('key', succeed)).toBe(true);
  });

  it('allows concurrent guesses no more attempts than sequential ones', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => limit.attempt('key', fail)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(47);
  });

  it('accepts all concurrent correct passwords', async () => {
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => limit.attempt('key', succeed)));
    expect(outcomes).toEqual(Array(50).fill(true));
  });

  it('runs as many at once as failures are left', async () => {
    await failTimes(1);
    const attempts = [pending(), pending(), pending()];
    const results = attempts.map(({ attempt }) => limit.attempt('key', attempt));
    await settled();
    expect(attempts.map(({ begun }) => begun)).toEqual([true, true, false]);
    attempts[0]?.settle(true);
    await results[0];
    await settled();
    expect(attempts[2]?.begun).toBe(true);
    attempts.forEach(({ settle }) => settle(true));
    await Promise.all(results);
  });

  it('lets no more of them in because the clock was set meanwhile', async () => {
    open({ forgiving: false });
    await failTimes(2);
    const attempts = Array.from({ length: 4 }, pending);
    const results = attempts.map(({ attempt }) => limit.attempt('key', attempt));
    await settled();
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(Date.now() + 24 * 3_600_000);
    attempts[0]?.settle(true);
    await results[0];
    await settled();
    expect(attempts.map(({ begun }) => begun)).toEqual([true, true, false, false]);
    attempts.forEach(({ settle }) => settle(true));
    await Promise.all(results);
  });

  it('answers 503 when too many wait', async () => {
    open({ max: 1 });
    const first = pending();
    const running = limit.attempt('key', first.attempt);
    const waiting = Array.from({ length: 500 }, () => limit.attempt('key', succeed));
    await settled();
    await expect(limit.attempt('key', succeed)).rejects.toMatchObject({ status: 503, code: 'busy' });
    first.settle(true);
    await running;
    expect(await Promise.all(waiting)).toHaveLength(500);
  });
});

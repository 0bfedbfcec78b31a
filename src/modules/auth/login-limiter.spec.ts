import { describe, expect, it } from 'vitest';
import { loadSettings } from '../../config/index.js';
import { PRODUCT } from '../../product.js';
import type { RedisConnection } from '../../platform/redis/index.js';
import { LoginLimiter } from './login-limiter.js';

const noRedis = {
  client: {},
  key: (...parts: string[]) => parts.join(':'),
  run: () => Promise.reject(new Error('away')),
} as unknown as RedisConnection;

const wrong = () => Promise.resolve(undefined);
const right = () => Promise.resolve('user');

function limiter(environment: Record<string, string> = {}): LoginLimiter {
  return new LoginLimiter(noRedis, loadSettings({ AUTH_LOGIN_MAX_FAILURES: '2', ...environment }, PRODUCT));
}

describe('LoginLimiter', () => {
  it('stops password guessing for one account from one address', async () => {
    const logins = limiter();
    for (let i = 0; i < 2; i++) expect(await logins.attempt('ada', '192.0.2.1', wrong)).toBeUndefined();
    await expect(logins.attempt('ada', '192.0.2.1', right)).rejects.toMatchObject({ status: 429 });
  });

  it('does not let a stranger elsewhere lock an account out', async () => {
    const logins = limiter();
    for (let i = 0; i < 5; i++) await logins.attempt('ada', '192.0.2.1', wrong).catch(() => undefined);
    expect(await logins.attempt('ada', '192.0.2.2', right)).toBe('user');
  });

  it('does not affect other accounts of the address until there are ten times as many failures', async () => {
    const logins = limiter();
    for (let i = 0; i < 20; i++) {
      expect(await logins.attempt('grace', '192.0.2.1', right)).toBe('user');
      await logins.attempt(`account ${i}`, '192.0.2.1', wrong);
    }
    await expect(logins.attempt('grace', '192.0.2.1', right)).rejects.toMatchObject({ status: 429 });
    expect(await logins.attempt('grace', '192.0.2.2', right)).toBe('user');
  });

  it('counts a network of IPv6 as one address', async () => {
    const logins = limiter();
    await logins.attempt('ada', '2001:db8:1:2::1', wrong);
    await logins.attempt('ada', '2001:db8:1:2:ffff::9', wrong);
    await expect(logins.attempt('ada', '2001:db8:1:2::3', right)).rejects.toMatchObject({ status: 429 });
    expect(await logins.attempt('ada', '2001:db8:1:3::1', right)).toBe('user');
  });

  it('counts a site of IPv6 too, with four times the limit of a network', async () => {
    const logins = limiter();
    const from = (i: number) => `2001:db8:1:${i.toString(16)}::1`;
    for (let i = 0; i < 8; i++) expect(await logins.attempt('ada', from(i), wrong)).toBeUndefined();
    await expect(logins.attempt('ada', from(8), wrong)).rejects.toMatchObject({ status: 429 });
    expect(await logins.attempt('ada', '2001:db8:2::1', right)).toBe('user');
  });

  it('allows each network fewer attempts for an account that is guessed from many, but always some', async () => {
    const logins = limiter({ AUTH_LOGIN_MAX_FAILURES: '6' });
    const outcomes: string[] = [];
    for (let network = 0; network < 30; network++) {
      for (let i = 0; i < 6; i++) {
        const outcome = await logins.attempt('ada', `192.0.2.${network}`, wrong).catch(() => 'limited');
        outcomes.push(outcome ?? 'wrong');
      }
    }
    // 60 in all at the full rate, and two from each later network.
    expect(outcomes.filter((outcome) => outcome === 'wrong')).toHaveLength(60 + 20 * 2);
    expect(await logins.attempt('ada', '198.51.100.1', wrong)).toBeUndefined();
    expect(await logins.attempt('ada', '198.51.100.1', right)).toBe('user');
    expect(await logins.attempt('grace', '192.0.2.40', right)).toBe('user');
  });

  it('does nothing when rate limits are off', async () => {
    const logins = limiter({ RATE_LIMIT_ENABLED: 'false' });
    for (let i = 0; i < 30; i++) expect(await logins.attempt('ada', '192.0.2.1', wrong)).toBeUndefined();
    expect(await logins.attempt('ada', '192.0.2.1', right)).toBe('user');
  });
});

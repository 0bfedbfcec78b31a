import { createSigner } from 'fast-jwt';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadSettings } from '../../config/index.js';
import { PRODUCT } from '../../product.js';
import type { Caller } from '../../platform/http/index.js';
import { AccessTokens } from './access-tokens.js';

const SECRET = 'a secret of the tests, long enough to sign';
const caller: Caller = { userId: 'u-1', role: 'customer', sessionId: 's-1' };
const claims = { sub: 'u-1', role: 'admin', sid: 's-1' };
const right = {
  key: SECRET,
  algorithm: 'HS256',
  iss: 'holdfast',
  aud: 'holdfast-api',
  expiresIn: 60_000,
} as const;

function accessTokens(environment: Record<string, string> = {}): AccessTokens {
  return new AccessTokens(loadSettings({ AUTH_TOKEN_SECRET: SECRET, ...environment }, PRODUCT));
}

function payloadOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >;
}

describe('AccessTokens', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('states caller, start and end of validity in a token', () => {
    const token = accessTokens({ AUTH_ACCESS_TOKEN_TTL_SECONDS: '120' }).sign(caller);
    const payload = payloadOf(token);
    expect(payload).toMatchObject({
      sub: 'u-1',
      role: 'customer',
      sid: 's-1',
      iss: 'holdfast',
      aud: 'holdfast-api',
    });
    expect((payload.exp as number) - (payload.iat as number)).toBe(120);
  });

  it('reads its own tokens, the first time and from memory', () => {
    const tokens = accessTokens();
    const token = tokens.sign(caller);
    expect(tokens.verify(token)).toEqual(caller);
    expect(tokens.verify(token)).toEqual(caller);
  });

  it('rejects a remembered token after it has expired', () => {
    vi.useFakeTimers();
    const tokens = accessTokens({ AUTH_ACCESS_TOKEN_TTL_SECONDS: '10' });
    const token = tokens.sign(caller);
    expect(tokens.verify(token)).toEqual(caller);
    vi.advanceTimersByTime(11_000);
    expect(tokens.verify(token)).toBeUndefined();
  });

  it('rejects a token of a clock that is far ahead, which would outlive the record of its revocation', () => {
    vi.useFakeTimers();
    const tokens = accessTokens({ AUTH_ACCESS_TOKEN_TTL_SECONDS: '60' });
    const now = Date.now();
    const madeAhead = (seconds: number): string => {
      vi.setSystemTime(now + seconds * 1000);
      const token = tokens.sign(caller);
      vi.setSystemTime(now);
      return token;
    };
    expect(tokens.verify(madeAhead(50))).toEqual(caller);
    expect(tokens.verify(madeAhead(70))).toBeUndefined();
  });

  it.each([
    ['another key', { ...right, key: 'another secret that is long enough too' }],
    ['another algorithm', { ...right, algorithm: 'HS512' as const }],
    ['another issuer', { ...right, iss: 'somebody' }],
    ['another audience', { ...right, aud: 'something' }],
    ['no expiry', { ...right, expiresIn: undefined }],
  ])('rejects a token with %s', (_, options) => {
    expect(accessTokens().verify(createSigner(options)(claims))).toBeUndefined();
  });

  it.each(['sub', 'role', 'sid'])('rejects a token without %s', (claim) => {
    expect(accessTokens().verify(createSigner(right)({ ...claims, [claim]: undefined }))).toBeUndefined();
  });

  it('rejects an unsigned token', () => {
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const exp = Math.floor(Date.now() / 1000) + 60;
    const token = `${encode({ alg: 'none', typ: 'JWT' })}.${encode({ ...claims, iss: 'holdfast', aud: 'holdfast-api', exp, iat: exp })}.`;
    expect(accessTokens().verify(token)).toBeUndefined();
  });

  it.each([
    ['nothing', ''],
    ['no token', 'abc'],
    ['a changed token', `${createSigner(right)(claims).slice(0, -2)}xx`],
    ['an overlong token', createSigner(right)({ ...claims, filler: 'x'.repeat(2000) })],
  ])('rejects %s', (_, token) => {
    expect(accessTokens().verify(token)).toBeUndefined();
  });

  it('issues no token that outlives the session', () => {
    const tokens = accessTokens({
      AUTH_ACCESS_TOKEN_TTL_SECONDS: '900',
      AUTH_REFRESH_TOKEN_TTL_SECONDS: '60',
    });
    expect(tokens.ttlSeconds).toBe(60);
  });
});

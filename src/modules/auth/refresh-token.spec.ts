import { describe, expect, it } from 'vitest';
import { newRefreshToken, nextRefreshToken, parseRefreshToken } from './refresh-token.js';

describe('a refresh token', () => {
  it('is recognised by its hashes', () => {
    const made = newRefreshToken();
    expect(parseRefreshToken(made.token)).toEqual(made);
    expect(made.token).toMatch(/^[\w-]{64}$/);
  });

  it('is followed by one of the same family with another secret', () => {
    const first = newRefreshToken();
    const second = nextRefreshToken(first);
    expect(second.familyHash).toEqual(first.familyHash);
    expect(second.tokenHash).not.toEqual(first.tokenHash);
  });

  it('shares nothing with that of another session', () => {
    const [one, other] = [newRefreshToken(), newRefreshToken()];
    expect(one.familyHash).not.toEqual(other.familyHash);
    expect(one.tokenHash).not.toEqual(other.tokenHash);
  });

  it('cannot be derived from what is stored', () => {
    const { token, familyHash, tokenHash } = newRefreshToken();
    const bytes = Buffer.from(token, 'base64url');
    expect(familyHash).not.toEqual(bytes.subarray(0, 16));
    expect(tokenHash).not.toEqual(bytes.subarray(16));
    expect([familyHash.length, tokenHash.length]).toEqual([32, 32]);
  });

  it.each(['', 'abc', `${'a'.repeat(63)}=`, 'a'.repeat(65), `${'a'.repeat(63)}\0`])('is not %j', (text) => {
    expect(parseRefreshToken(text)).toBeUndefined();
  });
});

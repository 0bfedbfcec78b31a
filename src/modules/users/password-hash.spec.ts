import { describe, expect, it } from 'vitest';
import { CURRENT_PARAMETERS, decodePasswordHash, encodePasswordHash, isOutdated } from './password-hash.js';

const salt = Buffer.from('0123456789abcdef');
const tag = Buffer.alloc(32, 7);

describe('the PHC string of a password hash', () => {
  it('states algorithm, version, parameters, salt and tag', () => {
    expect(encodePasswordHash({ memory: 19456, passes: 2, parallelism: 1, salt, tag })).toBe(
      '$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc',
    );
  });

  it('is read back as it was written', () => {
    const hash = { memory: 65536, passes: 3, parallelism: 4, salt, tag };
    expect(decodePasswordHash(encodePasswordHash(hash))).toEqual(hash);
  });

  it.each([
    ['nothing', ''],
    ['another algorithm', '$argon2i$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$BwcHBwcHBwcHBwcHBwcHBw'],
    ['another version', '$argon2id$v=16$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$BwcHBwcHBwcHBwcHBwcHBw'],
    [
      'parameters that would take all memory',
      '$argon2id$v=19$m=999999999,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$BwcHBwcHBwcHBwcHBwcHBw',
    ],
    ['a missing hash', '$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg'],
  ])('rejects %s', (_, text) => {
    expect(() => decodePasswordHash(text)).toThrow('not a PHC string of argon2id');
  });

  it('is up to date with the parameters of OWASP, and outdated with any other', () => {
    const current = { ...CURRENT_PARAMETERS, salt, tag };
    expect(CURRENT_PARAMETERS).toEqual({ memory: 19_456, passes: 2, parallelism: 1 });
    expect(isOutdated(current)).toBe(false);
    expect(isOutdated({ ...current, memory: 12_288 })).toBe(true);
    expect(isOutdated({ ...current, passes: 3 })).toBe(true);
    expect(isOutdated({ ...current, parallelism: 2 })).toBe(true);
    expect(isOutdated({ ...current, salt: salt.subarray(8) })).toBe(true);
    expect(isOutdated({ ...current, tag: tag.subarray(16) })).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { canonicalJson, fingerprintOf } from './fingerprint.js';

describe('The fingerprint of a payload', () => {
  it('does not depend on the order of members or on spaces', () => {
    const a = JSON.parse(
      '{"items": [{"itemId": "p", "quantity": 1}], "note": {"b": 1, "a": [true, null]}}',
    ) as unknown;
    const b = JSON.parse('{"note":{"a":[true,null],"b":1},"items":[{"quantity":1,"itemId":"p"}]}') as unknown;
    expect(fingerprintOf(a)).toBe(fingerprintOf(b));
  });

  it.each([
    ['a value', { a: 1 }, { a: 2 }],
    ['a type', { a: 1 }, { a: '1' }],
    ['a name', { a: 1 }, { b: 1 }],
    ['the order of a list', [1, 2], [2, 1]],
    ['nesting', { a: { b: 1 } }, { a: [{ b: 1 }] }],
    ['null and an empty object', null, {}],
    ['members joined into one', { a: 'b', c: 'd' }, { a: 'b","c":"d' }],
  ])('depends on %s', (_, one, other) => {
    expect(fingerprintOf(one)).not.toBe(fingerprintOf(other));
  });

  it('is 43 characters of base64url', () => {
    expect(fingerprintOf({ a: 1 })).toMatch(/^[\w-]{43}$/);
  });

  it('is made of JSON with sorted members, without undefined ones', () => {
    expect(canonicalJson({ b: undefined, c: [undefined], a: '"' })).toBe(String.raw`{"a":"\"","c":[null]}`);
    expect(canonicalJson(undefined)).toBe('null');
  });
});

import { describe, expect, it } from 'vitest';
import { ClientError } from '../errors/index.js';
import { parseIdempotencyKey } from './idempotency-key.js';

function refusal(header: string | undefined): { status: number; code: string } {
  try {
    parseIdempotencyKey(header);
  } catch (error) {
    if (error instanceof ClientError) return { status: error.status, code: error.code };
    throw error;
  }
  throw new Error(`${header} was accepted`);
}

describe('The Idempotency-Key header', () => {
  it.each([
    ['8e03978e-40d5-43dd-bc93-6894a57f9324', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
    ['"8e03978e-40d5-43dd-bc93-6894a57f9324"', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
    [String.raw`"say \"hi\" to \\"`, String.raw`say "hi" to \ `.trimEnd()],
    ['a', 'a'],
    ['two words', 'two words'],
    ['x'.repeat(255), 'x'.repeat(255)],
    [`"${'x'.repeat(255)}"`, 'x'.repeat(255)],
  ])('%s names the key %s', (header, key) => {
    expect(parseIdempotencyKey(header)).toBe(key);
  });

  it.each([[undefined], ['']])('is missing when it is %o', (header) => {
    expect(refusal(header)).toEqual({ status: 400, code: 'idempotency-key-missing' });
  });

  it.each([
    ['an empty string', '""'],
    ['an open string', '"abc'],
    ['a lone quote', '"'],
    ['something after the string', '"a", "b"'],
    ['an unknown escape', String.raw`"a\n"`],
    ['256 characters', 'x'.repeat(256)],
    ['a control character', 'a\u0007b'],
    ['letters beyond ASCII', 'schlüssel'],
  ])('is rejected for %s', (_, header) => {
    expect(refusal(header)).toEqual({ status: 400, code: 'idempotency-key-invalid' });
  });
});

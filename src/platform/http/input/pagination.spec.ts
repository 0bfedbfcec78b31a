import { describe, expect, it } from 'vitest';
import { ClientError } from '../../errors/index.js';
import { decodeCursor, encodeCursor, pageOf } from './pagination.js';

const id = '0190d5a0-0000-7000-8000-000000000000';

describe('keyset cursors', () => {
  it('decode to what they were made of', () => {
    const cursor = encodeCursor([id, '2026-11-20T12:00:00.000Z', 7]);
    expect(decodeCursor(cursor, ['uuid', 'time', 'integer'])).toEqual([id, '2026-11-20T12:00:00.000Z', 7]);
  });

  it('hold text only as PostgreSQL takes it', () => {
    expect(decodeCursor(encodeCursor(['é']), ['text'])).toEqual(['é']);
    for (const text of ['a\0', '\ud800', 7])
      expect(() => decodeCursor(encodeCursor([text]), ['text'])).toThrow(ClientError);
  });

  it('are absent on the first page', () => {
    expect(decodeCursor(undefined, ['uuid'])).toBeUndefined();
  });

  it.each([
    '',
    'x',
    '!!!',
    encodeCursor(["'; DROP TABLE users; --"]),
    encodeCursor([]),
    encodeCursor([id, id]),
    encodeCursor([1]),
  ])('are rejected when they are invalid: %s', (cursor) => {
    expect(() => decodeCursor(cursor, ['uuid'])).toThrow(ClientError);
  });
});

describe('a page', () => {
  const key = (n: number) => [n];

  it('has a next cursor when there was one more row than requested', () => {
    expect(pageOf([1, 2, 3], 2, key, String)).toEqual({ data: ['1', '2'], nextCursor: encodeCursor([2]) });
  });

  it('is the last one otherwise, also when empty', () => {
    expect(pageOf([1, 2], 2, key, String)).toEqual({ data: ['1', '2'], nextCursor: null });
    expect(pageOf([], 2, key, String)).toEqual({ data: [], nextCursor: null });
  });
});

import type { FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { isNotModified, strongTags } from './entity-tags.js';

const asked = (header?: string) => ({ headers: { 'if-none-match': header } }) as unknown as FastifyRequest;

describe('If-None-Match', () => {
  it.each([
    '"a"',
    ' "a"',
    'W/"a"',
    '*',
    ' * ',
    '"b", "a"',
    '"b",W/"a"',
    '"with, comma", "a"',
    '"a--gzip"',
    'W/"a--gzip"',
  ])('%s matches "a"', (header) => {
    expect(isNotModified(asked(header), '"a"')).toBe(true);
    expect(isNotModified(asked(header), 'W/"a"')).toBe(true);
  });

  it.each([undefined, '', '"b"', 'a', '"A"', '"b, a"', '"a', '"*"'])('%s does not match "a"', (header) => {
    expect(isNotModified(asked(header), '"a"')).toBe(false);
  });
});

describe('If-Match', () => {
  it('lists tags, of which weak ones never match', () => {
    expect(strongTags('"1"')).toEqual(['"1"']);
    expect(strongTags('"1", W/"2" , "3"')).toEqual(['"1"', '"3"']);
    expect(strongTags('"1--gzip", "2"')).toEqual(['"1"', '"2"']);
    expect(strongTags(' * ')).toBe('*');
    expect(strongTags('1')).toEqual([]);
  });
});

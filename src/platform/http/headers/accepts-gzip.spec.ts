import { expect, it } from 'vitest';
import { acceptsGzip } from './accepts-gzip.js';

it.each([
  [undefined, false],
  ['', false],
  ['identity', false],
  ['gzip', true],
  ['GZip, deflate, br', true],
  ['br;q=1.0, gzip;q=0.8', true],
  ['gzip;q=0', false],
  ['gzip;q=0.000, *', false],
  ['*', true],
  ['*;q=0', false],
  ['identity, *;q=0.1', true],
])('Accept-Encoding %j allows gzip: %s', (header, allowed) => {
  expect(acceptsGzip(header)).toBe(allowed);
});

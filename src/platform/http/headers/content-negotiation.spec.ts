import { describe, expect, it } from 'vitest';
import { accepts } from './content-negotiation.js';

describe('A resource that comes as JSON', () => {
  it.each([
    'application/json',
    'application/*',
    '*/*',
    'text/html, */*',
    'text/html;q=0.9, application/json;q=0.1',
    'Application/JSON; charset=utf-8',
    'application/json;q=0.001',
    '*/*;q=0, application/json',
    'application/*;q=0, application/json;q=0.5',
    'text/html;q=0, */*;q=0.1',
    '',
  ])('is acceptable to %j', (accept) => {
    expect(accepts(accept, ['application/json'])).toBe(true);
  });

  // The most specific range decides (RFC 9110 section 12.5.1).
  it.each([
    'application/json;q=0, */*',
    '*/*, application/json;q=0',
    'application/json;q=0.000, application/*',
    'application/*;q=0, */*;q=1',
    'application/json; Q=0, application/*;q=0.5',
    'text/html',
    'application/xml, text/*',
    '*/*;q=0',
  ])('is not acceptable to %j', (accept) => {
    expect(accepts(accept, ['application/json'])).toBe(false);
  });

  it('or as CSV is acceptable when one of them is', () => {
    expect(accepts('application/json;q=0, */*', ['application/json', 'text/csv'])).toBe(true);
  });
});

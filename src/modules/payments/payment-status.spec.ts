import { describe, expect, it } from 'vitest';
import { statusesBefore } from './payment-status.js';

describe('A payment', () => {
  it.each([
    ['succeeded', ['pending', 'unknown']],
    ['declined', ['pending', 'unknown']],
    ['unknown', ['pending']],
    ['disputed', ['pending', 'unknown']],
    ['pending', []],
  ] as const)('becomes %s only from %o', (status, before) => {
    expect(statusesBefore(status)).toEqual(before);
  });
});

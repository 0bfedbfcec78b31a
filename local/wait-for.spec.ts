import { describe, expect, it } from 'vitest';
import { waitFor } from './wait-for.ts';

describe('waitFor', () => {
  it('returns what the condition came to', async () => {
    let asked = 0;
    expect(await waitFor(() => (asked += 1) >= 3 && `after ${asked}`, { every: 1 })).toBe('after 3');
  });

  it('takes an error for "not yet" and tells the last one when time is up', async () => {
    const waiting = waitFor(() => Promise.reject(new Error('refused')), {
      within: 20,
      every: 1,
      what: 'the api',
    });
    await expect(waiting).rejects.toThrow('the api did not come true within 20 ms: refused');
  });
});

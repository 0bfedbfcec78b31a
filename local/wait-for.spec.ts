import { describe, expect, it } from 'vitest';
import { waitFor } from './wait-for.ts';

describe('waitFor', () => {
  it('returns the result of the condition', async () => {
    let asked = 0;
    expect(await waitFor(() => (asked += 1) >= 3 && `after ${asked}`, { every: 1 })).toBe('after 3');
  });

  it('treats an error as "not yet", and reports the last one at the timeout', async () => {
    const waiting = waitFor(() => Promise.reject(new Error('refused')), {
      within: 20,
      every: 1,
      what: 'the api',
    });
    await expect(waiting).rejects.toThrow('Timed out after 20 ms waiting for the api: refused');
  });
});

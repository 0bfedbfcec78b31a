import { describe, expect, it } from 'vitest';
import { bounded } from './bounded.js';

describe('a bounded wait', () => {
  it('gives what came in time, value or error', async () => {
    await expect(bounded(Promise.resolve(1), 1000, 'late')).resolves.toBe(1);
    await expect(bounded(Promise.reject(new Error('no')), 1000, 'late')).rejects.toThrow('no');
  });

  it('ends with its message when nothing came, and a later error disturbs nobody', async () => {
    const { promise, reject } = Promise.withResolvers<never>();
    await expect(bounded(promise, 5, 'late')).rejects.toThrow('late');
    reject(new Error('much later'));
    await new Promise((resolve) => setImmediate(resolve));
  });
});

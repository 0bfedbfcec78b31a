import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { TimedOutError, within } from './within.js';

const never = new Promise<never>(() => undefined);

describe('work with a time limit', () => {
  it('returns what came in time, value or error', async () => {
    await expect(within(60_000, Promise.resolve(1))).resolves.toBe(1);
    await expect(within(60_000, Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  it('fails when nothing came, with the error of the caller if there is one', async () => {
    await expect(within(5, never)).rejects.toThrow(TimedOutError);
    await expect(within(5, never, () => new RangeError('late'))).rejects.toThrow(RangeError);
  });

  it('that fails after its time has no effect', async () => {
    const { promise, reject } = Promise.withResolvers<never>();
    await expect(within(5, promise)).rejects.toThrow('within 5 ms');
    reject(new Error('much later'));
    await nextTurn();
  });

  it('whose result arrived during a stall of the event loop is not late', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const result = within(20, promise);
    // Both are due when the stall is over, and the timer runs first.
    setTimeout(() => resolve('there all the time'), 21);
    const stallEndsAt = performance.now() + 60;
    while (performance.now() < stallEndsAt);
    await expect(result).resolves.toBe('there all the time');
  });
});

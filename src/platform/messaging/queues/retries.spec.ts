import { describe, expect, it } from 'vitest';
import { BusinessRuleError, NotAttemptedError, TransientError } from '../../errors/index.js';
import { fullJitter, isTransient } from './retries.js';

const transient = new TransientError({ code: 'away', detail: 'Away.' });

describe('full jitter', () => {
  const waits = (random: number): number[] => {
    const strategy = fullJitter(500, 30_000, () => random);
    return [1, 2, 3, 7, 12, 1000].map((attempts) => strategy(attempts) as number);
  };

  it('doubles its maximum after each attempt, up to the cap', () => {
    expect(waits(0.9999999)).toEqual([499, 999, 1999, 29_999, 29_999, 29_999]);
  });

  it('takes any wait up to that, but never 0, which BullMQ reads as "before all others"', () => {
    expect(waits(0.5)).toEqual([250, 500, 1000, 15_000, 15_000, 15_000]);
    expect(waits(0)).toEqual([1, 1, 1, 1, 1, 1]);
  });
});

describe('errors that are worth a retry', () => {
  const coded = (code: string): Error => Object.assign(new Error('connect'), { code });

  it.each([
    ['a TransientError', transient],
    [
      'a TransientError that says nothing was attempted',
      new NotAttemptedError({ code: 'open', detail: 'Open.' }),
    ],
    ['a refused connection', coded('ECONNREFUSED')],
    ['a connection that was cut', coded('ECONNRESET')],
    [
      'a lost connection somewhere in the causes',
      new Error('fetch failed', { cause: coded('UND_ERR_SOCKET') }),
    ],
    [
      'a TransientError somewhere in the causes',
      new Error('could not', { cause: new Error('really', { cause: transient }) }),
    ],
    ['a Redis client that is closed', new Error('Connection is closed.')],
  ])('include %s', (_what, error) => {
    expect(isTransient(error)).toBe(true);
  });

  it.each([
    ['a bug', new TypeError('undefined is not a function')],
    [
      'a business rule, even when something transient led to it',
      new BusinessRuleError({ status: 409, code: 'no', detail: 'No.', cause: transient }),
    ],
    ['a code that does not mean a lost connection', coded('23505')],
    ['something that is not an error', 'away'],
    ['nothing', undefined],
  ])('do not include %s', (_what, error) => {
    expect(isTransient(error)).toBe(false);
  });

  it('are found through cyclic causes', () => {
    const error = new Error('circle');
    error.cause = error;
    expect(isTransient(error)).toBe(false);
  });
});

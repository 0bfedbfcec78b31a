import { expect, it } from 'vitest';
import { errorCode, isConnectError, isNetworkError } from './network-errors.js';

const coded = (code: string) => Object.assign(new Error(code), { code });

it('the code of an error is its own, or that of the first address', () => {
  expect(errorCode(coded('ECONNRESET'))).toBe('ECONNRESET');
  const everyAddress = new AggregateError([coded('ENETUNREACH'), coded('ECONNREFUSED')]);
  expect(errorCode(everyAddress)).toBe('ENETUNREACH');
  expect(errorCode(new Error('none'))).toBeUndefined();
  expect(errorCode(Object.assign(new Error('a number'), { code: 7 }))).toBeUndefined();
  expect(errorCode(undefined)).toBeUndefined();
});

it('a connection that broke is a network error, after which something may have been sent', () => {
  expect(isNetworkError(coded('EPIPE'))).toBe(true);
  expect(isConnectError(coded('EPIPE'))).toBe(false);
  expect(isNetworkError(coded('ECONNREFUSED'))).toBe(true);
  expect(isConnectError(coded('ECONNREFUSED'))).toBe(true);
  expect(isNetworkError(coded('23505'))).toBe(false);
  expect(isNetworkError(new Error('none'))).toBe(false);
});

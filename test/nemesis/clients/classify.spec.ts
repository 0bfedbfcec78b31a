import { expect, it } from 'vitest';
import { classify } from './classify.ts';

const problem = (status: number, code: string, headers: Record<string, string> = { 'retry-after': '1' }) =>
  classify({
    status,
    headers: { 'content-type': 'application/problem+json; charset=utf-8', ...headers },
    text: JSON.stringify({ code }),
  });

it('takes a success for one', () => {
  expect(classify({ status: 201, headers: { 'x-request-id': 'r' }, text: '{}' })).toEqual({
    outcome: 'ok',
    status: 201,
    requestId: 'r',
  });
});

it('believes a 503 that promises that nothing has happened, and no other', () => {
  expect(problem(503, 'database-saturated').outcome).toBe('refused');
  expect(problem(503, 'database-unavailable').outcome).toBe('unknown');
  expect(problem(409, 'insufficient-funds')).toMatchObject({
    outcome: 'refused',
    code: 'insufficient-funds',
  });
});

it.each([
  ['another 5xx', problem(500, 'internal-error'), 'a 500'],
  ['no Retry-After', problem(503, 'busy', {}), 'no Retry-After'],
  [
    'no code',
    classify({ status: 404, headers: { 'content-type': 'application/problem+json' }, text: '{}' }),
    'code',
  ],
  [
    'another format',
    classify({ status: 404, headers: { 'content-type': 'text/html' }, text: '' }),
    'text/html',
  ],
])('reports %s', (_, { malformed }, fault) => {
  expect(malformed).toContain(fault);
});

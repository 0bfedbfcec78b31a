import { describe, expect, it } from 'vitest';
import type { Ending } from './connection.ts';
import { judge } from './judge.ts';

const problem = 'content-type: application/problem+json; charset=utf-8';

function answer(status: number, ...headers: string[]): Ending {
  const head = [`http/1.1 ${status} whatever`, ...headers].join('\r\n');
  return { kind: 'answer', answer: { status, head, body: Buffer.from('{"code":"quota-exceeded"}') } };
}

describe('judge', () => {
  it('counts 2xx as a success, and keeps the Location', () => {
    expect(judge(answer(201, 'location: /v1/things/7'), new Set())).toMatchObject({
      outcome: 'ok',
      location: '/v1/things/7',
    });
  });

  it('counts 503 and 429 as rejections when they are problem documents with Retry-After', () => {
    for (const status of [503, 429]) {
      expect(judge(answer(status, problem, 'retry-after: 2'), new Set())).toMatchObject({
        outcome: 'refused',
        code: 'quota-exceeded',
      });
    }
  });

  it.each([
    ['a 503 without Retry-After', answer(503, problem)],
    ['a 503 with an unreadable date', answer(503, problem, 'retry-after: soon')],
    ['a 503 that is a web page', answer(503, 'content-type: text/html', 'retry-after: 1')],
    ['a 500', answer(500, problem)],
    ['an unexpected 404', answer(404, problem)],
    ['an expected 409 that is not a problem document', answer(409, 'content-type: text/plain')],
  ])('counts %s as a failure', (_what, ending) => {
    expect(judge(ending, new Set([409]))).toMatchObject({ outcome: 'unexpected' });
  });

  it('counts an expected business error as a success', () => {
    expect(judge(answer(409, problem), new Set([409])).outcome).toBe('ok');
  });

  it('passes on what happened to the connection', () => {
    const ending: Ending = { kind: 'reset', detail: 'ECONNRESET', fresh: false };
    expect(judge(ending, new Set())).toMatchObject({ outcome: 'reset', status: 0, detail: 'ECONNRESET' });
  });
});

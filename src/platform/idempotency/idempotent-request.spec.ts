import { fastify } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { BusinessRuleError } from '../errors/index.js';
import { PROBLEM_DETAILS, writeProblemsAs } from '../http/index.js';
import { recordedAnswer, recordedRefusal, type RecordedAnswer } from './answer.js';
import { sendAnswer } from './idempotent-request.js';

const request = { requestId: 'request-1', path: '/v1/things' };
const error = new BusinessRuleError({ code: 'no', detail: 'No.', status: 409, headers: { Location: '/1' } });

async function sent(answer: RecordedAnswer): Promise<{ type: unknown; location: unknown; body: string }> {
  const server = fastify();
  server.get('/', (_request, reply) => sendAnswer(reply, answer));
  const { headers, body } = await server.inject('/');
  return { type: headers['content-type'], location: headers.location, body };
}

describe('a recorded answer', () => {
  afterEach(() => writeProblemsAs(PROBLEM_DETAILS));

  it('keeps its media type when it is a rejection and a later release writes errors in another format', async () => {
    const refusal = recordedRefusal(error, request);
    const before = await sent(refusal);
    writeProblemsAs({ ...PROBLEM_DETAILS, mediaType: 'application/vnd.errors+json' });
    const replay = await sent({ ...refusal, replayed: true });

    expect(before.type).toBe('application/problem+json; charset=utf-8');
    expect(before.location).toBe('/1');
    expect(replay).toEqual(before);
  });

  it('has the current media type when it was recorded without one', async () => {
    const { body } = recordedRefusal(error, request);
    const answer = await sent({ status: 409, headers: {}, body, replayed: true });
    expect(answer.type).toBe('application/problem+json; charset=utf-8');
  });

  it('is JSON when it is a success', async () => {
    const answer = await sent(recordedAnswer({ status: 201, headers: { Location: '/1' }, body: { a: 1 } }));
    expect(answer).toEqual({ type: 'application/json; charset=utf-8', location: '/1', body: '{"a":1}' });
  });
});

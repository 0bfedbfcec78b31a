import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { excessOf, parseJsonOnly } from './json-body.js';
import { problemDocument } from '../problems/problem.js';

const app = fastify();
parseJsonOnly(app);
app.setErrorHandler((error, _request, reply) => {
  const document = problemDocument(error, 'id', '/');
  return reply.code(document.status).send(document);
});
app.post('/', (request) => ({ body: request.body }));

const post = (payload: string) =>
  app.inject({ method: 'POST', url: '/', payload, headers: { 'content-type': 'application/json' } });

describe('The body of a request', () => {
  it.each(['{"a":[1,{"b":"\\"]["}]}', '"\\\\"', '[[],[]]', `${'['.repeat(20)}${']'.repeat(20)}`])(
    '%s is parsed',
    async (text) => {
      expect((await post(text)).json()).toEqual({ body: JSON.parse(text) as unknown });
    },
  );

  it.each([
    ['lists', '['.repeat(21)],
    ['objects', '{"a":'.repeat(21)],
    ['thousands of lists', '['.repeat(100_000)],
    // With this, JSON.parse of Node 26.10 ends the process.
    ['levels with an error behind them', '[0,'.repeat(52_000) + '0]'.repeat(52_000)],
  ])('is rejected before it is parsed when it is deep in %s', async (_, text) => {
    const answer = await post(text);
    expect(answer.statusCode).toBe(422);
    expect(answer.json()).toMatchObject({
      code: 'validation-failed',
      errors: [{ pointer: '', code: 'is-shallow', message: 'it is nested too deeply' }],
    });
  });

  it('is rejected before it is parsed when it has too many members', async () => {
    expect((await post(`[${'0,'.repeat(4990)}0]`)).statusCode).toBe(200);
    expect((await post(`[${'0,'.repeat(5000)}0]`)).json()).toMatchObject({
      status: 422,
      errors: [{ pointer: '', code: 'is-small', message: 'it has too many members' }],
    });
  });

  it('is not considered deep or wide because of its texts', () => {
    expect(excessOf(JSON.stringify({ text: '[{,"\\'.repeat(10_000) }))).toBeUndefined();
  });

  it.each([
    ['{"a":"\\ud800"}', '/a', 'is-well-formed'],
    ['{"a":["x","\\udc00\\ud800"]}', '/a/1', 'is-well-formed'],
    ['{"a":{"b/c":"\\u0000"}}', '/a/b~1c', 'no-nul'],
    ['{"\\ud800":1}', '/\ufffd', 'is-well-formed'],
    ['"\\ud800"', '', 'is-well-formed'],
  ])('%s is rejected at %s, as invalid Unicode', async (text, pointer, code) => {
    const answer = await post(text);
    expect(answer.statusCode).toBe(422);
    expect(answer.json()).toMatchObject({ errors: [{ pointer, code }] });
  });

  it('may hold any Unicode text, escaped or not', async () => {
    expect((await post('{"a":"\\ud83d\\ude42 \\u00e9 🙂"}')).json()).toEqual({ body: { a: '🙂 é 🙂' } });
  });
});

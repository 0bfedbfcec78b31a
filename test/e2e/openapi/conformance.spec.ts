import { describe, expect, it } from 'vitest';
import { Conformance, type Exchange, type OpenApiDocument } from './conformance.js';

const document: OpenApiDocument = {
  openapi: '3.1.0',
  paths: {
    '/things/{id}': {
      get: {
        operationId: 'getThing',
        parameters: [{ name: 'id', in: 'path', required: true }],
        responses: {
          200: {
            headers: { ETag: { required: true, schema: { type: 'string' } } },
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } },
          },
          304: {},
          404: {
            content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
          },
        },
      },
    },
    '/things': {
      post: {
        operationId: 'makeThing',
        parameters: [{ name: 'Idempotency-Key', in: 'header', required: true }],
        requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } } },
        responses: { 204: {} },
      },
    },
  },
  components: {
    schemas: {
      Thing: { type: 'object', required: ['size'], properties: { size: { type: 'integer' } } },
      Problem: { type: 'object', required: ['code'], properties: { code: { type: 'string' } } },
    },
  },
};

const good: Exchange = {
  method: 'GET',
  path: '/things/1',
  requestHeaders: {},
  status: 200,
  headers: new Headers({ 'content-type': 'application/json; charset=utf-8', etag: '"1"' }),
  text: '{"size":3}',
};

const posted: Exchange = {
  method: 'POST',
  path: '/things',
  requestHeaders: { 'idempotency-key': 'k' },
  requestBody: { size: 1 },
  status: 204,
  headers: new Headers(),
  text: '',
};

const problem = { status: 404, headers: new Headers({ 'content-type': 'application/problem+json' }) };

describe('the check of answers against the document', () => {
  it.each<[string, Exchange]>([
    ['a success', good],
    ['an answer without a body', { ...good, status: 304, headers: new Headers(), text: '' }],
    ['a problem with extensions', { ...good, ...problem, text: '{"code":"not-found","productId":"1"}' }],
    ['a request as documented', posted],
  ])('accepts %s', (_, exchange) => {
    expect(new Conformance(document).problemsOf(exchange)).toEqual([]);
  });

  it.each<[string, Exchange, string]>([
    [
      'an unknown path',
      { ...good, path: '/nothing' },
      'GET /nothing -> 200: no operation of the document is this',
    ],
    [
      'an undocumented status',
      { ...good, status: 418 },
      'GET /things/1 -> 418: getThing does not document this status',
    ],
    ['a missing member', { ...good, text: '{}' }, 'must have required property'],
    ['a wrong type', { ...good, text: '{"size":"3"}' }, '/size must be integer'],
    [
      'an undocumented member',
      { ...good, text: '{"size":3,"secret":1}' },
      'must NOT have additional properties {"additionalProperty":"secret"}',
    ],
    [
      'another content type',
      { ...good, headers: new Headers({ 'content-type': 'text/html', etag: '"1"' }) },
      'comes as text/html and not as application/json',
    ],
    [
      'a missing header',
      { ...good, headers: new Headers({ 'content-type': 'application/json' }) },
      'lacks the header ETag',
    ],
    ['a body where there is none', { ...good, status: 304, headers: new Headers() }, 'has a body'],
    ['a malformed problem', { ...good, ...problem, text: '{"size":3}' }, 'must have required property'],
    [
      'an undocumented parameter',
      { ...posted, path: '/things?fast=1' },
      'succeeds with the undocumented parameter fast',
    ],
    ['an omitted header', { ...posted, requestHeaders: {} }, 'succeeds without the header Idempotency-Key'],
    [
      'a forbidden request',
      { ...posted, requestBody: {} },
      'succeeds with a request that the document forbids',
    ],
  ])('reports %s', (_, exchange, message) => {
    expect(new Conformance(document).problemsOf(exchange)).toEqual([expect.stringContaining(message)]);
  });

  it('remembers which documented answers it has seen', () => {
    const conformance = new Conformance(document);
    conformance.problemsOf(good);
    conformance.problemsOf({ ...good, ...problem, text: '{"code":"x"}' });

    expect([...conformance.seen]).toEqual(['getThing 200', 'getThing 404']);
  });

  it('finds keywords that OpenAPI 3.1 lacks', () => {
    const old = structuredClone(document);
    old.components.schemas.Thing = {
      type: 'object',
      properties: { size: { type: 'integer', nullable: true } },
    };

    expect(new Conformance(old).invalidSchemas()).toEqual([
      expect.stringContaining('"nullable"'),
      expect.stringContaining('"nullable"'),
    ]);
    expect(new Conformance(document).invalidSchemas()).toEqual([]);
  });
});

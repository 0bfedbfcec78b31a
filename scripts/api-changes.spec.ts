import { describe, expect, it } from 'vitest';
import { changesBetween } from './lib/api/changes.js';

type Schema = Record<string, unknown>;

const problem = (status: number, ...codes: string[]): Schema => ({
  description: 'No',
  content: {
    'application/problem+json': {
      schema: {
        allOf: [
          { $ref: '#/components/schemas/Problem' },
          {
            type: 'object',
            required: ['status', 'code'],
            properties: {
              status: { type: 'integer', enum: [status] },
              code: { type: 'string', enum: codes },
            },
          },
        ],
      },
    },
  },
});

/** In the form that the platform gives to its documents. */
const released = () => ({
  openapi: '3.1.0',
  info: { title: 'Shop', version: '1' },
  servers: [{ url: '.' }],
  paths: {
    '/v1/things': {
      get: {
        operationId: 'listThings',
        security: [],
        parameters: [
          { name: 'limit', in: 'query', required: false, schema: { type: 'integer', maximum: 100 } },
        ] as Schema[],
        responses: {
          200: {
            description: 'OK',
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } },
          },
        } as Record<string, Schema>,
      },
      post: {
        operationId: 'makeThing',
        security: [{ bearer: [] }],
        parameters: [] as Schema[],
        requestBody: {
          required: true,
          content: { 'application/json': { schema: { $ref: '#/components/schemas/NewThing' } } },
        },
        responses: { 204: { description: 'Made' }, 409: problem(409, 'taken', 'sold-out') } as Record<
          string,
          Schema
        >,
      },
    } as Record<string, object> as Record<string, Record<string, Schema>>,
  },
  components: {
    securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    schemas: {
      Thing: {
        type: 'object',
        required: ['size'],
        properties: { size: { type: 'integer' }, note: { type: 'string' } } as Record<string, Schema>,
      },
      NewThing: {
        type: 'object',
        required: ['size'],
        properties: { size: { type: 'integer' }, kind: { type: 'string', enum: ['a', 'b'] } } as Record<
          string,
          Schema
        >,
      },
      Problem: {
        type: 'object',
        required: ['status', 'code'],
        properties: { status: { type: 'integer' }, code: { type: 'string' } },
      },
    },
  },
});

type Document = ReturnType<typeof released>;

const operation = (document: Document, method: 'get' | 'post') =>
  document.paths['/v1/things']![method] as unknown as {
    operationId: string;
    security: object[];
    parameters: Schema[];
    requestBody?: object;
    responses: Record<string, Schema>;
  };

const deprecated = (sunset?: string) => ({
  deprecated: true,
  'x-deprecation': { since: '2026-01-01', ...(sunset !== undefined && { sunset }) },
});

const COMPATIBLE: [string, (document: Document) => void][] = [
  ['an operation is added', ({ paths }) => (paths['/v1/things']!.delete = { responses: {} })],
  ['a member of an answer is added', ({ components }) => (components.schemas.Thing.properties.new = {})],
  [
    'an optional member of a request is added',
    ({ components }) => (components.schemas.NewThing.properties.new = {}),
  ],
  [
    'an optional parameter is added',
    (document) =>
      operation(document, 'get').parameters.push({ name: 'q', in: 'query', schema: { type: 'string' } }),
  ],
  [
    'a request may say more',
    ({ components }) => (components.schemas.NewThing.properties.kind!.enum = ['a', 'b', 'c']),
  ],
  ['a member of a request becomes optional', ({ components }) => (components.schemas.NewThing.required = [])],
  [
    'an operation is deprecated',
    (document) => Object.assign(operation(document, 'post'), deprecated('2027-01-01')),
  ],
  [
    'an error is never answered any more',
    (document) => (operation(document, 'post').responses[409] = problem(409, 'taken')),
  ],
];

const BREAKING: [string, (document: Document) => void][] = [
  ['an operation is removed', ({ paths }) => delete paths['/v1/things']!.post],
  [
    'a path is renamed',
    ({ paths }) => {
      Object.assign(paths, { '/v1/objects': paths['/v1/things'] });
      delete (paths as Partial<typeof paths>)['/v1/things'];
    },
  ],
  ['a member of an answer is removed', ({ components }) => delete components.schemas.Thing.properties.note],
  [
    'a member of an answer changes its type',
    ({ components }) => (components.schemas.Thing.properties.size = { type: 'string' }),
  ],
  ['a member of an answer may be missing', ({ components }) => (components.schemas.Thing.required = [])],
  [
    'a member of a request becomes required',
    ({ components }) => components.schemas.NewThing.required.push('kind'),
  ],
  ['a request may say less', ({ components }) => (components.schemas.NewThing.properties.kind!.enum = ['a'])],
  [
    'a required parameter is added',
    (document) =>
      operation(document, 'post').parameters.push({
        name: 'If-Match',
        in: 'header',
        required: true,
        schema: { type: 'string' },
      }),
  ],
  [
    'a limit becomes narrower',
    (document) => (operation(document, 'get').parameters[0]!.schema = { type: 'integer', maximum: 50 }),
  ],
  ['a public route needs a caller', (document) => (operation(document, 'get').security = [{ bearer: [] }])],
  [
    'an error has a code that clients do not know',
    (document) => (operation(document, 'post').responses[409] = problem(409, 'taken', 'sold-out', 'late')),
  ],
  [
    'a success changes its status',
    (document) => {
      const { responses } = operation(document, 'post');
      responses[202] = responses[204]!;
      delete responses[204];
    },
  ],
];

// Each starts a process that loads a large program.
describe('a change of the API', { timeout: 240_000 }, () => {
  it.each([
    ['nothing', () => undefined, false] as const,
    ...COMPATIBLE.map(([what, change]) => [what, change, false] as const),
    ...BREAKING.map(([what, change]) => [what, change, true] as const),
  ])('%s', async (_, change, breaking) => {
    const current = released();
    change(current);
    const changes = await changesBetween(released(), current);

    expect(changes.breaking, changes.report).toBe(breaking);
  });

  it.each([
    ['after its sunset', '2026-06-30', false],
    ['before its sunset', '2026-07-02', true],
    ['without a sunset', undefined, true],
  ])('that removes a deprecated operation %s', async (_, sunset, breaking) => {
    const [before, current] = [released(), released()];
    Object.assign(operation(before, 'post'), deprecated(sunset));
    delete current.paths['/v1/things']!.post;
    const changes = await changesBetween(before, current, new Date('2026-07-01'));

    expect(changes.breaking, changes.report).toBe(breaking);
    expect(changes.report.includes('POST /v1/things is gone; its sunset is past.')).toBe(!breaking);
  });

  it.each([
    ['forward', '2026-12-31', true],
    ['back', '2027-02-01', false],
  ])('that brings a sunset %s', async (_, sunset, breaking) => {
    const [before, current] = [released(), released()];
    Object.assign(operation(before, 'post'), deprecated('2027-01-31'));
    Object.assign(operation(current, 'post'), deprecated(sunset));
    const changes = await changesBetween(before, current, new Date('2026-07-01'));

    expect(changes.breaking, changes.report).toBe(breaking);
  });

  it('is reported with its place', async () => {
    const current = released();
    delete current.components.schemas.Thing.properties.note;

    expect((await changesBetween(released(), current)).report).toContain(
      'Property `note` of `Thing` was removed',
    );
  });
});

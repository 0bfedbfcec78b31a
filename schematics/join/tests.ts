import { accessTable, defaultsTest } from '../feature/behaviour-tests.ts';
import { inTemplate, routeOf, type Deletion } from '../feature/feature.ts';
import { bodiesOf } from '../feature/sample.ts';
import type { Join, Side } from './join.ts';

/** The specs of a join, over HTTP and held against the OpenAPI document. */
export function testsOf(join: Join, deletions: Record<string, Deletion>): Record<string, string> {
  const { plural } = join.names;
  return {
    [`test/e2e/${plural}.spec.ts`]: spec(join, deletions),
    ...(join.fields.length > 0 && {
      [`test/e2e/${plural}.sample.ts`]: `import type { DocumentedApi } from './openapi/documented-api.js';\n\n${bodiesOf(join)}`,
    }),
  };
}

function spec(join: Join, deletions: Record<string, Deletion>): string {
  const { names, fields, first, second, callers, samples } = join;
  const { plural, camel, pascal, wordsPlural } = names;
  const has = fields.length > 0;
  const route = `/${routeOf(join)}`;
  const sides = [first, second].filter(({ names: { plural: feature } }) => feature !== 'users');
  const gone = Object.entries(deletions);
  const paths = gone.flatMap(([feature, { list }]) => {
    const [, path] = /^await (\w+)/.exec(list) ?? [];
    return path ? [[feature, path]] : [];
  });
  // Of a list of a row that callers are joined to, each puts their own; else one caller puts both.
  const each = callers === second;
  const body = has ? ', body' : '';
  return `import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newAdmin, newUser } from '../factories/users.js';
import { Conformance, type OpenApiDocument } from './openapi/conformance.js';
import { DocumentedApi, NOBODY } from './openapi/documented-api.js';
import { startProduct, type ProductUnderTest } from './product-under-test.js';
${sides.map(({ names: { plural: feature } }) => `import { ${[samples[feature], ...paths.filter(([one]) => one === feature).map(([, path]) => path)].join(', ')} } from './${feature}.sample.js';\n`).join('')}${has ? `import { ${camel}Bodies } from './${plural}.sample.js';\n` : ''}
const ROUTE = '${route.replace(/:(\w+)/, '{$1}')}';
${accessTable(join, ['put', 'delete'])}
/** A row that may be there, and a caller that may put it there. */
interface Place {
  as: string;
  id: string;
  path: string;
}

describe('${wordsPlural}', () => {
  let product: ProductUnderTest;
  let api: DocumentedApi;
  /** ${callers ? 'Two admins: what one cannot do with the rows of the other is a matter of the caller alone.' : 'An admin.'} */
  let ada: string;
${callers ? '  let eve: string;\n' : ''}  /** No admin. */
  let bob: string;
${has ? '  let bodies: [object, object];\n' : ''}  let first: string;
  /** Of the list of one ${first.names.words}. */
  let PATH: string;
  let places: [Place, Place];

  beforeAll(async () => {
    product = await startProduct();
    const { body } = await product.http.get<OpenApiDocument>('/openapi.json');
    api = new DocumentedApi(product.url, new Conformance(body));
    bob = (await newUser(product)).accessToken;
    ada = (await newAdmin(product)).accessToken;
${callers ? `    eve = (await newAdmin(product)).accessToken;\n` : ''}${has ? `    bodies = await ${camel}Bodies(api, ada);\n` : ''}  });

  // A test may delete a side.
  beforeEach(async () => {
    first = ${idOf(join, first, 'ada')};
    PATH = ROUTE.replace(/\\{\\w+\\}/, first);
    const ids = [${idOf(join, second, 'ada')}, ${second.names.plural === 'users' ? `await me(${each ? 'eve' : 'bob'})` : idOf(join, second, 'ada').replace('ada)', 'ada, 1)')}] as const;
    places = [
      { as: ada, id: ids[0], path: \`\${PATH}/\${ids[0]}\` },
      { as: ${each ? 'eve' : 'ada'}, id: ids[1], path: \`\${PATH}/\${ids[1]}\` },
    ];
  });

  afterAll(() => product?.stop());

${[first, second].some((side) => side.names.plural === 'users') ? `  const me = async (as: string): Promise<string> =>\n    ((await api.call('GET', '/v1/users/me', { as })).body as { id: string }).id;\n` : ''}  const put = ({ as, path }: Place${has ? ', body: object = bodies[0]' : ''}) => api.statusOf('PUT', path, { as${body} });
  const remove = ({ as, path }: Place) => api.statusOf('DELETE', path, { as });
  const read = ({ as, path }: Place) => api.call('GET', path, { as });

  it('are put and deleted, however often that is asked for', async () => {
    const [place] = places;
    expect([await put(place), await put(place)]).toEqual([201, 204]);
    const { status, body } = await read(place);
    expect([status, body]).toEqual([
      200,
      { ${has ? '...bodies[0], ' : ''}${first.property}: first, ${second.property}: place.id, createdAt: expect.stringMatching(/Z$/) as string },
    ]);
    expect([await remove(place), await remove(place)]).toEqual([204, 204]);
    expect((await read(place)).status).toBe(404);
  });

  it('are put once by requests at the same time', async () => {
    const [place] = places;

    expect((await Promise.all([put(place), put(place), put(place)])).toSorted((a, b) => a - b)).toEqual([201, 204, 204]);
    await remove(place);
  });
${
  has
    ? `
  it('are changed as a whole, and stay in their place', async () => {
    const [place] = places;
    await put(place);
    const { body } = await read(place);

    expect(await put(place, bodies[1])).toBe(204);
    expect((await read(place)).body).toEqual({ ...(body as object), ...bodies[1] });
    await remove(place);
  });
`
    : ''
}
  it('are listed newest first, page by page, each once', async () => {
    for (const place of places) await put(place);
    const all = (await api.call('GET', PATH, { as: ada })).body as { data: Row[]; nextCursor: null };
    const pages: Row[] = [];
    for (let next: string | null = ''; next !== null; ) {
      const page = (await api.call('GET', \`\${PATH}?limit=1\${next}\`, { as: ada })).body as { data: Row[]; nextCursor: string | null };
      pages.push(...page.data);
      next = page.nextCursor === null ? null : \`&cursor=\${page.nextCursor}\`;
    }

    expect(all.data.map((row) => row.${second.property}).toSorted()).toEqual(places.map(({ id }) => id).toSorted());
    expect(all.data).toEqual(all.data.toSorted((a, b) => (placeOf(a) < placeOf(b) ? 1 : -1)));
    expect(pages).toEqual(all.data);
    for (const place of places) await remove(place);
  });

  // Refused for the address only where the caller was let through.
  it.each(Object.entries(ACCESS))('grant %s to: %s', async (operation, who) => {
    const requests: Record<string, [method: string, path: string]> = {
      list: ['GET', \`\${PATH}?limit=0\`],
      get: ['GET', \`\${PATH}/x\`],
      put: ['PUT', \`\${PATH}/x\`],
      delete: ['DELETE', \`\${PATH}/x\`],
    };
    const [method, path] = requests[operation]!;
    const answers: number[] = [];
    for (const as of [undefined, bob, ada]) answers.push(await api.statusOf(method, path, { as${has ? `, ...(method === 'PUT' && { body: bodies[0] })` : ''} }));
    const expected: Record<string, number[]> = { public: [422, 422, 422], caller: [401, 422, 422], admin: [401, 403, 422] };

    expect(answers).toEqual(expected[who]);
  });
${ownTest(join)}${gone
    .map(
      ([feature, deletion]) => `
  it('go with ${feature === first.names.plural ? `the ${first.names.words} they are of` : `their ${second.names.words}`}', async () => {
    for (const place of ${feature === first.names.plural ? '[places[0]]' : 'places'}) {
      expect(await put(place)).toBe(201);
      const side = \`${inTemplate(deletion)}/\${${feature === first.names.plural ? 'first' : 'place.id'}}\`;
      expect(await api.statusOf('DELETE', side, { as: ada })).toBe(204);
      expect((await read(place)).status).toBe(404);
    }
  });
`,
    )
    .join('')}
  it('join only what exists', async () => {
${[first, second]
  .filter((side) => side !== callers)
  .map((side) => {
    const path =
      side === first ? `\`\${ROUTE.replace(/\\{\\w+\\}/, NOBODY)}/\${places[0].id}\`` : '`${PATH}/${NOBODY}`';
    return `    expect((await api.call('PUT', ${path}, { as: ada${has ? ', body: bodies[0]' : ''} })).body).toMatchObject({ status: 422, code: 'unknown-reference' });\n`;
  })
  .join(
    '',
  )}    expect((await api.call('GET', \`\${PATH}/\${NOBODY}\`, { as: ada })).body).toMatchObject({ status: 404, code: '${names.singular}-not-found' });
  });
${has ? fieldTests(join) : ''}
  it('keep every promise of the document', async () => {
    const [place] = places;
    expect(await put(place)).toBe(201);
    for (const path of [PATH, place.path])
      expect(await api.statusOf('GET', path, { as: ada, headers: { accept: 'application/xml' } })).toBe(406);
    await remove(place);
${
  has
    ? `    const raw = { '{"a":': 400, [JSON.stringify('x'.repeat(product.settings.http.bodyLimitBytes))]: 413 };
    for (const [text, status] of Object.entries(raw))
      expect(await api.statusOf('PUT', place.path, { as: ada, raw: text })).toBe(status);
    expect(await api.statusOf('PUT', place.path, { as: ada, raw: 'a', headers: { 'content-type': 'text/plain' } })).toBe(415);
`
    : ''
}    const promised = api.conformance.operations
      .filter(({ path }) => [ROUTE, \`\${ROUTE}/{${second.property}}\`].includes(path))
      .flatMap(({ id, responses }) => Object.keys(responses).map((status) => \`\${id} \${status}\`))
      // These are seen where something breaks (test/faults).
      .filter((promise) => !/ (429|500|503)$/.test(promise));

    expect(promised.filter((promise) => !api.conformance.seen.has(promise))).toEqual([]);
    expect(promised).toContain('put${pascal} 201');
  });
});

interface Row {
  ${second.property}: string;
  createdAt: string;
}

/** In a list. */
function placeOf({ createdAt, ${second.property} }: Row): string {
  return createdAt + ${second.property};
}
`;
}

/** A row of a side, as an expression. */
function idOf({ samples }: Join, { names }: Side, as: string): string {
  return names.plural === 'users' ? `await me(${as})` : `await ${samples[names.plural]}(api, ${as})`;
}

/** That callers change their own rows alone. */
function ownTest({ fields, callers, access }: Join): string {
  if (!callers) return '';
  const body = fields.length > 0 ? ', body: bodies[0]' : '';
  return `
  it('are ${access === 'owner' ? 'read and changed' : 'changed'} by their own caller alone, and not by other admins', async () => {
    const [place] = places;
    await put(place);
    expect(await api.statusOf('PUT', place.path, { as: eve${body} })).toBe(404);
    expect(await api.statusOf('DELETE', place.path, { as: eve })).toBe(404);
${
  access === 'owner'
    ? `    expect(await api.statusOf('GET', place.path, { as: eve })).toBe(404);
    expect(await api.statusOf('GET', PATH, { as: eve })).toBe(404);
`
    : `    expect(await api.statusOf('GET', place.path, { as: eve })).toBe(200);\n`
}    expect((await read(place)).status).toBe(200);
    await remove(place);
  });
`;
}

function fieldTests({ fields }: Join): string {
  const required = fields.filter((field) => !field.optional && field.default === undefined);
  const defaults = defaultsTest(fields)
    .replace(
      'const { path, body } = await add({ ...bodies[0], [name]: undefined });',
      `const [place] = places;
    await put(place, { ...bodies[0], [name]: undefined });
    const body = (await read(place)).body as Record<string, unknown>;`,
    )
    .replace('await remove(path);', 'await remove(place);');
  return `${defaults}
  it.each<[string, unknown]>([
${fields.map(({ name, kind }) => `    ['${name}', ${kind.bad}],`).join('\n')}
${required.map(({ name }) => `    ['${name}', undefined],`).join('\n')}
    ['unknown', 1],
  ])('are refused with the field %s as %j', async (name, value) => {
    const { as, path } = places[0];
    const { body } = await api.call('PUT', path, { as, body: { ...bodies[0], [name]: value } });

    expect(body).toMatchObject({ status: 422, code: 'validation-failed' });
  });
`;
}

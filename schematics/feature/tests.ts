import { keyOf, routeOf, shownScope, writeScopes, type Feature } from './feature.ts';
import {
  accessTable,
  accessTest,
  consumesTest,
  defaultsTest,
  eventsTest,
  heldTest,
  IDEMPOTENT_TEST,
  scopeTest,
} from './behaviour-tests.ts';
import { cachedTest, cacheSettings } from './cached.ts';
import { listTests } from './list-tests.ts';
import { sample } from './sample.ts';
import { slugTests } from './slug.ts';

/** The specs of a feature: what its routes promise, seen over HTTP and held against the OpenAPI document. */
export function testsOf(feature: Feature): Record<string, string> {
  const { plural } = feature.names;
  return {
    [`test/e2e/${plural}.sample.ts`]: sample(feature),
    [`test/e2e/${plural}.spec.ts`]: spec(feature),
  };
}

function spec(feature: Feature): string {
  const { names, fields, owner, parent, events, idempotent, consumes, titled } = feature;
  const { plural, camel, wordsPlural } = names;
  const route = `/${routeOf(feature)}`;
  const keyed = idempotent ? ', headers: api.idempotent()' : '';
  const shown = writeScopes(feature)
    .filter(({ property }) => shownScope(feature, property))
    .map(({ property }) => `${property}: expect.any(String) as string, `)
    .join('');
  const unique = fields.filter(({ unique: is }) => is);
  const required = fields.filter((field) => !field.optional && field.default === undefined);
  const fixed = fields.filter(({ immutable }) => immutable).map(({ name }) => `'${name}'`);
  const change = fixed.length > 0 ? 'changes' : 'bodies[1]';
  const references = fields.filter(({ kindName, argument }) => kindName === 'ref' && argument !== 'users');
  // A reference to what another caller owns works as well: only its existence is asked for.
  return `import { afterAll, beforeAll, describe, expect, it } from 'vitest';
${consumes ? `import { ${consumes.constant} } from '../../src/modules/${consumes.feature}/index.js';\nimport { UnitOfWork } from '../../src/platform/database/index.js';\nimport { Outbox } from '../../src/platform/messaging/index.js';\n` : ''}import { newAdmin, newUser } from '../factories/users.js';
import { Conformance, type OpenApiDocument } from './openapi/conformance.js';
import { DocumentedApi, NOBODY } from './openapi/documented-api.js';
import { startProduct, type ProductUnderTest } from './product-under-test.js';
${events || consumes ? `import { waitFor } from '../../local/wait-for.js';\n` : ''}${Object.entries(
    feature.deletions,
  )
    .flatMap(([other, { list, slugBy }]) => {
      const [, path] = /^await (\w+)/.exec(list) ?? [];
      const used = [path, slugBy].filter((name) => name !== undefined);
      return used.length > 0 ? `import { ${used.join(', ')} } from './${other}.sample.js';\n` : [];
    })
    .join('')}import { ${camel}Bodies${parent ? `, ${camel}Path` : ''} } from './${plural}.sample.js';

${
  parent ? `const ROUTE = '${route.replace(/:(\w+)/, '{$1}')}';\n` : `const PATH = '${route}';\n`
}${fixed.length > 0 ? `/** Set when one is added, and never again. */\nconst FIXED = [${fixed.join(', ')}];\n` : ''}${accessTable(feature)}
interface Made {
  id: string;
  path: string;
  etag: string;
  body: Record<string, unknown>;
}

describe('${wordsPlural}', () => {
  let product: ProductUnderTest;
  let api: DocumentedApi;
${owner ? '  /** Two admins: what one cannot do with the rows of the other is a matter of their owner alone. */\n' : '  /** An admin. */\n'}  let ada: string;
${owner ? '  let eve: string;\n' : ''}  /** No admin. */
  let bob: string;
  let bodies: [object, object];
${parent ? '  /** Of the list of one parent. */\n  let PATH: string;\n' : ''}${fixed.length > 0 ? '  let changes: object;\n' : ''}
  beforeAll(async () => {
    product = await startProduct(${cacheSettings(feature)});
    const { body } = await product.http.get<OpenApiDocument>('/openapi.json');
    api = new DocumentedApi(product.url, new Conformance(body));
    bob = (await newUser(product)).accessToken;
    ada = (await newAdmin(product)).accessToken;
${owner ? `    eve = (await newAdmin(product)).accessToken;\n` : ''}${parent ? `    PATH = await ${camel}Path(api, ada);\n` : ''}    bodies = await ${camel}Bodies(api, ada);
${
  fixed.length > 0
    ? `    changes = Object.fromEntries(Object.entries(bodies[1]).filter(([name]) => !FIXED.includes(name)));\n`
    : ''
}  });

  afterAll(() => product?.stop());

  const add = async (body: object = bodies[0]): Promise<Made> => {
    const made = await api.call('POST', PATH, { as: ada, body${keyed} });
    expect(made.status).toBe(201);
    const path = made.headers.get('location') as string;
    const etag = made.headers.get('etag') as string;
${titled ? `    const { id } = made.body as { id: string };\n    return { id, path, etag, body: made.body };` : `    return { id: path.slice(PATH.length + 1), path, etag, body: made.body };`}
  };
  const remove = (path: string) => api.statusOf('DELETE', path, { as: ada });
  /** The ids of all pages of a list. */
${walkOf(feature)}
  it('are added, read, changed and deleted', async () => {
    const { id, path, etag, body } = await add();
    expect(body).toEqual({ ...bodies[0], id, ${titled ? 'slug: path.slice(PATH.length + 1), ' : ''}${shown}createdAt: expect.stringMatching(/Z$/) as string });
    const read = await api.call('GET', path, { as: ada });
    expect([read.status, read.headers.get('etag'), read.body]).toEqual([200, etag, body]);

    const changed = await api.call('PUT', path, { as: ada, body: ${change}, headers: { 'if-match': etag } });
    expect([changed.status, changed.body]).toEqual([200, { ...body, ...${change} }]);
    const again = await api.call('GET', path, { as: ada });
    expect([again.headers.get('etag'), again.body]).toEqual([changed.headers.get('etag'), changed.body]);

    expect(await remove(path)).toBe(204);
    expect(await api.statusOf('GET', path, { as: ada })).toBe(404);
    expect(await remove(path)).toBe(404);
  });

  it('are changed only with the current version', async () => {
    const { path, etag } = await add();
    const change = (headers: Record<string, string>) =>
      api.statusOf('PUT', path, { as: ada, body: ${change}, headers });

    expect(await change({})).toBe(428);
    const both = await Promise.all([change({ 'if-match': etag }), change({ 'if-match': etag })]);
    expect(both).toEqual(expect.arrayContaining([200, 412]));
    expect(await change({ 'if-match': '*' })).toBe(200);
    expect(await api.statusOf('PUT', \`\${PATH}/\${NOBODY}\`, { as: ada, body: ${change}, headers: { 'if-match': '*' } })).toBe(404);
    await remove(path);
  });

${accessTest(feature, change)}
${parent ? scopeTest(feature, keyed) : ''}${idempotent ? IDEMPOTENT_TEST : ''}${events ? eventsTest(feature, change) : ''}${consumesTest(feature)}${cachedTest(feature, change)}
  it('are listed newest first, page by page, each once', async () => {
    const added: Made[] = [];
    for (const body of bodies) added.unshift(await add(body));
    expect(await walk('?limit=1')).toEqual(added.map(({ id }) => id));
    for (const { path } of added) await remove(path);
  });
${listTests(feature)}${slugTests(feature, change)}${
    fixed.length > 0
      ? `
  it.each(FIXED)('keep their %s', async (name) => {
    const { path, body } = await add();
    const sent = { ...changes, [name]: body[name] };

    expect(await api.statusOf('PUT', path, { as: ada, body: sent, headers: { 'if-match': '*' } })).toBe(422);
    await remove(path);
  });
`
      : ''
  }${defaultsTest(fields)}${
    unique.length > 0
      ? `
  it.each([${unique.map(({ name }) => `'${name}'`).join(', ')}])('do not share their %s', async (name) => {
    const [one, other] = [await add(bodies[0]), await add(bodies[1])];
    const body = { ...bodies[1], [name]: one.body[name] };

    expect(await api.statusOf('POST', PATH, { as: ada, body${keyed} })).toBe(409);
${
  fixed.length > 0
    ? `    if (!FIXED.includes(name))
      expect(
        await api.statusOf('PUT', other.path, {
          as: ada,
          body: { ...changes, [name]: one.body[name] },
          headers: { 'if-match': '*' },
        }),
      ).toBe(409);`
    : `    expect(await api.statusOf('PUT', other.path, { as: ada, body, headers: { 'if-match': '*' } })).toBe(409);`
}
    for (const { path } of [one, other]) await remove(path);
  });
`
      : ''
  }
${heldTest(feature)}  it.each<[string, unknown]>([
${fields.map(({ name, kind }) => `    ['${name}', ${kind.bad}],`).join('\n')}
${required.map(({ name }) => `    ['${name}', undefined],`).join('\n')}
    ['unknown', 1],
${references.map(({ name }) => `    ['${name}', NOBODY],`).join('\n')}
  ])('are refused with the field %s as %j', async (name, value) => {
    const { status, body } = await api.call('POST', PATH, { as: ada, body: { ...bodies[0], [name]: value }${keyed} });

    expect(status).toBe(422);
    expect(body).toMatchObject({ code: ${references.length > 0 ? `value === NOBODY ? 'unknown-reference' : 'validation-failed'` : `'validation-failed'`} });
  });

  it('keep every promise of the document', async () => {
    const ask = { as: ada, headers: { 'if-match': '*'${idempotent ? ', ...api.idempotent()' : ''} } };
    for (const [method, path] of [
      ['POST', PATH],
      ['PUT', \`\${PATH}/\${NOBODY}\`],
    ] as const) {
      expect(await api.statusOf(method, path, { ...ask, raw: '{"a":' })).toBe(400);
      expect(await api.statusOf(method, path, { ...ask, raw: JSON.stringify('x'.repeat(product.settings.http.bodyLimitBytes)) })).toBe(413);
      expect(await api.statusOf(method, path, { ...ask, raw: 'a', headers: { 'content-type': 'text/plain' } })).toBe(415);
      expect(await api.statusOf(method, path, { ...ask, body: { unknown: 1 } })).toBe(422);
    }
    for (const method of ['GET', 'PUT', 'DELETE'])
      expect(await api.statusOf(method, \`\${PATH}/${titled ? 'X' : 'x'}\`, { ...ask, ...(method === 'PUT' && { body: ${change === 'changes' ? 'changes' : 'bodies[0]'} }) })).toBe(422);
    expect(await api.statusOf('GET', \`\${PATH}?limit=0\`, ask)).toBe(422);
    const all = [
      ['GET', PATH],
      ['POST', PATH],
      ['GET', \`\${PATH}/\${NOBODY}\`],
      ['PUT', \`\${PATH}/\${NOBODY}\`],
      ['DELETE', \`\${PATH}/\${NOBODY}\`],
    ] as const;
    for (const [method, path] of all)
      expect(
        await api.statusOf(method, path, {
          as: ada,
          headers: { 'if-match': '*', accept: 'application/xml'${idempotent ? ', ...api.idempotent()' : ''} },
          ...(method.startsWith('P') && { body: ${change === 'changes' ? `method === 'PUT' ? changes : bodies[0]` : 'bodies[0]'} }),
        }),
      ).toBe(method === 'DELETE' ? 404 : 406);
    const promised = api.conformance.operations
      .filter(({ path }) => [${parent ? 'ROUTE' : 'PATH'}, \`\${${parent ? 'ROUTE' : 'PATH'}}/{${keyOf(feature)}}\`].includes(path))
      .flatMap(({ id, responses }) => Object.keys(responses).map((status) => \`\${id} \${status}\`))
      // These are seen where something breaks (test/faults), or where something refers to a row${idempotent && unique.length === 0 ? ', 409 while another request with the same key runs' : ''}.
      .filter((promise) => !/ (429|500|503)$|^delete.* 409$${idempotent && unique.length === 0 ? `|^create${names.pascal} 409$` : ''}/.test(promise));

    expect(promised.filter((promise) => !api.conformance.seen.has(promise))).toEqual([]);
  });
});
`;
}

/** Reads a whole list. */
function walkOf({ page }: Feature): string {
  if (page === 'offset')
    return `  const walk = async (query: string): Promise<string[]> => {
    const seen: string[] = [];
    let total: number;
    do {
      const next = seen.length === 0 ? '' : \`&offset=\${seen.length}\`;
      const page = (await api.call('GET', PATH + query + next, { as: ada })).body as {
        data: { id: string }[];
        total: number;
      };
      seen.push(...page.data.map(({ id }) => id));
      total = page.total;
    } while (seen.length < total);
    return seen;
  };
`;
  return `  const walk = async (query: string): Promise<string[]> => {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const next: string = cursor === null ? '' : \`&cursor=\${cursor}\`;
      const page = (await api.call('GET', PATH + query + next, { as: ada })).body as {
        data: { id: string }[];
        nextCursor: string | null;
      };
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    return seen;
  };
`;
}

import type { Field } from '../lib/fields.ts';
import { inTemplate, type Feature } from './feature.ts';
import { isOwnReference } from './table.ts';

function noPage({ page }: Feature): string {
  return `{ data: [], ${page === 'offset' ? 'total: 0' : 'nextCursor: null'} }`;
}

/** Who may call what, in the generated spec: `npm run g -- policy` changes a row. */
export function accessTable({ owner, access }: Feature, writes = ['create', 'change', 'delete']): string {
  const reading = access === 'owner' ? 'caller' : access;
  const writing = owner ? 'caller' : 'admin';
  return `/** Who may call what. */
const ACCESS = { list: '${reading}', get: '${reading}', ${writes.map((name) => `${name}: '${writing}'`).join(', ')} };
`;
}

/** Who may call what, seen by requests that change nothing; and whose rows others see and change. */
export function accessTest(feature: Feature, change: string): string {
  const { access, idempotent } = feature;
  return `  it.each(Object.entries(ACCESS))('grant %s to: %s', async (operation, who) => {
    const one = \`\${PATH}/\${NOBODY}\`;
    const requests: Record<string, [method: string, path: string, admitted: number]> = {
      list: ['GET', PATH, 200],
      get: ['GET', one, 404],
      create: ['POST', PATH, 422],
      change: ['PUT', one, 422],
      delete: ['DELETE', one, 404],
    };
    const [method, path, admitted] = requests[operation]!;
    const headers = { 'if-match': '*'${idempotent ? ', ...api.idempotent()' : ''} };
    const asked = { headers, ...(method.startsWith('P') && { body: { unknown: 1 } }) };
    const answers: number[] = [];
    for (const as of [undefined, bob, ada]) answers.push(await api.statusOf(method, path, { ...asked, as }));
    const expected: Record<string, number[]> = {
      public: [admitted, admitted, admitted],
${access === 'optional' ? '      optional: [admitted, admitted, admitted],\n' : ''}      caller: [401, admitted, admitted],
      admin: [401, 403, admitted],
    };

    expect(answers).toEqual(expected[who]);
  });
${ownTest(feature, change)}`;
}

/** That rows belong to their owners, whatever another caller may call: it is an admin, too. */
function ownTest(feature: Feature, change: string): string {
  const { names, owner, access, idempotent } = feature;
  if (!owner) return '';
  const key = idempotent ? ', ...api.idempotent()' : '';
  const start = `    const { path, etag } = await add();
    const asked = { as: eve, headers: { 'if-match': etag${key} } };
`;
  const written = `    expect(await api.statusOf('PUT', path, { ...asked, body: ${change} })).toBe(404);
    expect(await api.statusOf('DELETE', path, asked)).toBe(404);
    expect(await remove(path)).toBe(204);
  });`;
  if (access === 'owner')
    return `
  it('do not exist for other callers, admins included', async () => {
${start}
    expect(await api.statusOf('GET', path, asked)).toBe(404);
    expect((await api.call('GET', PATH, { as: eve })).body).toEqual(${noPage(feature)});
${written}`;
  if (access === 'optional')
    return `
  it('are read by everybody once they are published, and before that by their owner', async () => {
    const { path, etag } = await add({ ...bodies[0], published: false });
    for (const as of [undefined, eve]) {
      expect(await api.statusOf('GET', path, { as })).toBe(404);
      expect((await api.call('GET', PATH, { as })).body).toEqual(${noPage(feature)});
    }
    expect(await api.statusOf('GET', path, { as: ada })).toBe(200);

    const body = { ...${change}, published: true };
    const { body: published } = await api.call('PUT', path, { as: ada, body, headers: { 'if-match': etag } });
    for (const as of [undefined, eve]) {
      expect((await api.call('GET', path, { as })).body).toEqual(published);
      expect((await api.call('GET', PATH, { as })).body).toEqual({ data: [published], ${feature.page === 'offset' ? 'total: 1' : 'nextCursor: null'} });
    }
    for (const read of [path, PATH]) expect(await api.statusOf('GET', read, { as: 'a stranger' })).toBe(401);
    const asked = { as: eve, headers: { 'if-match': '*'${key} } };
    expect(await api.statusOf('PUT', path, { ...asked, body })).toBe(404);
    expect(await api.statusOf('DELETE', path, asked)).toBe(404);
    expect(await remove(path)).toBe(204);
  });`;
  return `
  it('are changed by the caller that made the ${names.words}, and read by others', async () => {
${start}
    expect(await api.statusOf('GET', path, asked)).toBe(200);
${written}`;
}

export function consumesTest({ names, consumes }: Feature): string {
  if (!consumes) return '';
  return `
  it('handle ${consumes.event}', async () => {
    await product.startWorker();
    const outbox = product.api.get(Outbox, { strict: false });
    const unitOfWork = product.api.get(UnitOfWork, { strict: false });
    const id = await unitOfWork.run(() => outbox.announce(${consumes.constant}, ${consumes.payload}));

    const recorded = 'SELECT 1 FROM inbox WHERE event_id = $1 AND consumer = $2';
    await waitFor(async () => (await product.sql(recorded, [id, '${names.plural}'])).length === 1, {
      within: 60_000,
      what: 'the record of the handler',
    });
  });
`;
}

/** Rows that others refer to, and whose deletion is refused for it. */
export function heldTest({ fields, deletions, names }: Feature): string {
  const held = fields.filter(({ argument, kindName }) => kindName === 'ref' && deletions[argument]);
  const tree = fields.find((field) => isOwnReference(names, field));
  const own = tree
    ? `  it('are not deleted while another one refers to them', async () => {
    const { id, path } = await add();
    const other = await add({ ...bodies[1], ${tree.name}: id });

    expect(await remove(path)).toBe(409);
    for (const one of [other.path, path]) expect(await remove(one)).toBe(204);
  });

`
    : '';
  const slugs = held.flatMap(({ name, argument }) => {
    const deletion = deletions[argument]!;
    return deletion.slugBy === undefined
      ? []
      : `  it('hold what their ${name} refers to, which has a slug', async () => {
    const { path, body } = await add();
    const slug = await ${deletion.slugBy}(api, ada, body['${name}']);

    expect(await remove(\`${inTemplate(deletion)}/\${slug}\`)).toBe(409);
    await remove(path);
  });

`;
  });
  const ids = held.filter(({ argument }) => deletions[argument]!.slugBy === undefined);
  if (ids.length === 0) return own + slugs.join('');
  return `${own}${slugs.join('')}  it.each([${ids.map(({ name }) => `'${name}'`).join(', ')}])('hold what their %s refers to', async (name) => {
    const { path, body } = await add();
    const held = { ${ids.map(({ name, argument }) => `${name}: ${deletions[argument]!.list}`).join(', ')} }[name];

    expect(await remove(\`\${held}/\${String(body[name])}\`)).toBe(409);
    await remove(path);
  });

`;
}

/** Of a feature whose rows belong to another's. */
export function scopeTest(feature: Feature, keyed: string): string {
  return `
  it('belong to one parent', async () => {
    const { path } = await add();
    const elsewhere = ROUTE.replace(/\\{\\w+\\}/, NOBODY);
    const moved = path.replace(PATH, elsewhere);

    expect(await api.statusOf('GET', moved, { as: ada })).toBe(404);
    expect((await api.call('GET', elsewhere, { as: ada })).body).toEqual(${noPage(feature)});
    expect(await api.statusOf('DELETE', moved, { as: ada })).toBe(404);
    expect(await api.statusOf('POST', elsewhere, { as: ada, body: bodies[0]${keyed} })).toBe(422);
    await remove(path);
  });
`;
}

/** What an absent member is. */
export function defaultsTest(fields: Field[]): string {
  const rows = fields
    .filter((field) => field.default !== undefined)
    .map((field) => `    ${defaultRow(field)},\n`);
  if (rows.length === 0) return '';
  return `
  it.each<[string, unknown]>([
${rows.join('')}  ])('${BY_DEFAULT}', async (name, value) => {
    const { path, body } = await add({ ...bodies[0], [name]: undefined });

    expect(body[name]).toBe(value);
    await remove(path);
  });
`;
}

export const BY_DEFAULT = 'have %s %j by default';

export function defaultRow(field: Field): string {
  return `['${field.name}', ${field.default}]`;
}

export const IDEMPOTENT_TEST = `
  it('are added once by a request and its retries', async () => {
    expect(await api.statusOf('POST', PATH, { as: ada, body: bodies[0] })).toBe(400);
    const request = { as: ada, body: bodies[0], headers: api.idempotent() };
    const first = await api.call('POST', PATH, request);
    const retry = await api.call('POST', PATH, request);

    expect([retry.status, retry.text, retry.headers.get('location')]).toEqual([201, first.text, first.headers.get('location')]);
    expect(retry.headers.get('idempotency-replayed')).toBe('true');
    expect(await api.statusOf('POST', PATH, { ...request, body: bodies[1] })).toBe(422);
    expect(await remove(first.headers.get('location') as string)).toBe(204);
    expect(await walk('')).toEqual([]);
  });
`;

export function eventsTest({ names }: Feature, change: string): string {
  return `
  it('announce what happens to them, and handle it once', async () => {
    await product.startWorker();
    const { id, path, etag } = await add();
    expect(await api.statusOf('PUT', path, { as: ada, body: ${change}, headers: { 'if-match': etag } })).toBe(200);
    expect(await api.statusOf('PUT', path, { as: ada, body: ${change}, headers: { 'if-match': etag } })).toBe(412);
    await remove(path);
    const handled = () =>
      product.sql<{ name: string }>(
        \`SELECT name FROM outbox_events JOIN inbox ON event_id = id WHERE key = $1 AND consumer = '${names.plural}' ORDER BY position\`,
        [id],
      );
    await waitFor(async () => (await handled()).length >= 3, { within: 60_000, what: 'three handled events' });

    expect((await handled()).map(({ name }) => name)).toEqual(['${names.singular}.created', '${names.singular}.changed', '${names.singular}.deleted']);
  });
`;
}

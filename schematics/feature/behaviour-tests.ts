import type { Field } from '../lib/fields.ts';
import type { Feature } from './feature.ts';
import { isOwnReference } from './table.ts';

function noPage({ page }: Feature): string {
  return `{ data: [], ${page === 'offset' ? 'total: 0' : 'nextCursor: null'} }`;
}

/** Who may do what. */
export function accessTest(feature: Feature, change: string): string {
  const { names, owner, access, idempotent } = feature;
  const key = idempotent ? ', ...api.idempotent()' : '';
  const start = `    const { path, etag } = await add();
    const asked = { as: eve, headers: { 'if-match': etag${key} } };
`;
  const written = (
    status: number,
  ): string => `    expect(await api.statusOf('PUT', path, { ...asked, body: ${change} })).toBe(${status});
    expect(await api.statusOf('DELETE', path, asked)).toBe(${status});
    expect(await remove(path)).toBe(204);
  });`;
  if (access === 'owner')
    return `  it('do not exist for other callers', async () => {
${start}
    expect(await api.statusOf('GET', path, asked)).toBe(404);
    expect((await api.call('GET', PATH, { as: eve })).body).toEqual(${noPage(feature)});
${written(404)}`;
  if (access === 'optional')
    return `  it('are read by everybody once they are published, and before that by their owner', async () => {
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
  const readers = { public: 'everybody', caller: 'every caller', admin: 'admins' }[access];
  const read = {
    public: `    expect(await api.statusOf('GET', path)).toBe(200);\n`,
    caller: `    expect(await api.statusOf('GET', path, asked)).toBe(200);\n`,
    admin: `    expect(await api.statusOf('GET', path, asked)).toBe(403);
    expect(await api.statusOf('GET', PATH, asked)).toBe(403);\n`,
  }[access];
  return `  it('are read by ${readers}, and ${owner ? `changed by the caller that made the ${names.words}` : 'written by admins'}', async () => {
${start}
${read}${owner ? '' : `    expect(await api.statusOf('POST', PATH, { ...asked, body: bodies[1] })).toBe(403);\n`}${written(owner ? 404 : 403)}`;
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
  if (held.length === 0) return own;
  return `${own}  it.each([${held.map(({ name }) => `'${name}'`).join(', ')}])('hold what their %s refers to', async (name) => {
    const { path, body } = await add();
    const held = { ${held.map(({ name, argument }) => `${name}: ${deletions[argument]}`).join(', ')} }[name];

    expect(await remove(\`\${held}/\${String(body[name])}\`)).toBe(409);
    await remove(path);
  });

`;
}

/** Of a feature whose rows belong to another's. */
export function scopeTest(feature: Feature, keyed: string): string {
  return `
  it('belong to one parent', async () => {
    const { id, path } = await add();
    const elsewhere = ROUTE.replace(/\\{\\w+\\}/, NOBODY);

    expect(await api.statusOf('GET', \`\${elsewhere}/\${id}\`, { as: ada })).toBe(404);
    expect((await api.call('GET', elsewhere, { as: ada })).body).toEqual(${noPage(feature)});
    expect(await api.statusOf('DELETE', \`\${elsewhere}/\${id}\`, { as: ada })).toBe(404);
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

import type { Feature } from './feature.ts';

/** Who may do what. */
export function accessTest({ names, owner, access, idempotent }: Feature, change: string): string {
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
    expect((await api.call('GET', PATH, { as: eve })).body).toEqual({ data: [], nextCursor: null });
${written(404)}`;
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

/** Of a feature whose rows belong to another's. */
export function scopeTest(keyed: string): string {
  return `
  it('belong to one parent', async () => {
    const { id, path } = await add();
    const elsewhere = ROUTE.replace(/\\{\\w+\\}/, NOBODY);

    expect(await api.statusOf('GET', \`\${elsewhere}/\${id}\`, { as: ada })).toBe(404);
    expect((await api.call('GET', elsewhere, { as: ada })).body).toEqual({ data: [], nextCursor: null });
    expect(await api.statusOf('DELETE', \`\${elsewhere}/\${id}\`, { as: ada })).toBe(404);
    expect(await api.statusOf('POST', elsewhere, { as: ada, body: bodies[0]${keyed} })).toBe(422);
    await remove(path);
  });
`;
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

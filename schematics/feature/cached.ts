import { sqlName } from '../lib/sql.ts';
import { readScopes, type Feature } from './feature.ts';

/** With `--cached`: what the service, the controller and the spec have for reads by id that go through the cache. */

/** Of the service: what the cache holds. */
export function cachedType({ names, access, cached }: Feature): string {
  if (!cached) return '';
  const { pascal: One, camel: one, words } = names;
  return `/** ${capital(words)} as the cache holds it. */
interface Cached${One} extends Tagged${One} {
${access === 'owner' ? `  userId: string;\n` : ''}  version: ${One}['version'];
  /** The columns of the release that has put it there. */
  columns: string;
}

/** Later than any version: a deleted ${one} does not come back. */
const DELETED = Number.MAX_SAFE_INTEGER;

`;
}

/** Of the service: the cache. */
export function cacheMember({ names, cached }: Feature): string {
  return cached ? `  private readonly copies: ReadThroughCache<Cached${names.pascal}>;\n\n` : '';
}

/** Of the service: the body of its constructor. */
export function cacheSetUp({ names, access, cached }: Feature): string {
  if (!cached) return '';
  const { pascal: One, camel: one, camelPlural: many, plural } = names;
  return `
    this.copies = caches.create<Cached${One}>({
      name: '${plural}',
      versionOf: ({ version }) => version,
      // A release that adds a column does not show what an earlier one has put there, nor the other way round.
      isUsable: ({ columns }) => columns === this.columns(),
      load: async (id) => {
        const ${one} = await ${many}.findOneBy({ id });
        if (!${one}) return undefined;
        const { version${access === 'owner' ? ', userId' : ''} } = ${one};
        return { ...tagged(${one}), ${access === 'owner' ? 'userId, ' : ''}version, columns: this.columns() };
      },
    });
  `;
}

/** Of the service: one read, by everybody that may see the row. */
export function cachedGet(feature: Feature): string {
  const { names, access } = feature;
  const { pascal: One, camel: one, singular } = names;
  const [parameters, hidden] = {
    owner: ['userId: string, ', `cached.value.userId !== userId`],
    optional: [
      'viewer: string | undefined, ',
      `!(cached.value.${one}.published || cached.value.${one}.userId === viewer)`,
    ],
    public: ['', ''],
    caller: ['', ''],
    admin: ['', ''],
  }[access];
  return `  /**
   * From the cache: as it was after the last change by this process, or at most \`CACHE_LOCAL_TTL_MS\` after one by another.
   * @throws ClientError 404 \`${singular}-not-found\`
   */
  async get(${parameters}id: string): Promise<Cached<Tagged${One}>> {
    const cached = await this.copies.get(id);
    if (!cached${hidden && ` || ${hidden}`}) throw ${one}NotFound();
    return cached;
  }`;
}

/** Of the service: reports a change, which a unit of work may still roll back. */
export function outdated({ cached }: Feature, version: string): string {
  return cached ? `    this.outdate(id, ${version});\n` : '';
}

export function cacheMethods({ names, cached }: Feature): string {
  if (!cached) return '';
  return `
  /** After the commit: before, a read would put the old row back. Code that changes rows elsewhere has to do the same. */
  private outdate(id: string, version: number): void {
    this.unitOfWork.afterCommit(() => this.copies.outdate(id, version));
  }

  private columns(): string {
    return this.${names.camelPlural}.metadata.columns.map(({ propertyName }) => propertyName).join();
  }
`;
}

/** Of the controller: what follows the parameters of the one read. */
export function cachedAnswer(feature: Feature): string {
  const { names, access } = feature;
  const { pascal: One, camel: one, camelPlural: many } = names;
  const passed = [
    ...readScopes(feature).map(({ property }) => property),
    ...(access === 'optional' ? ['viewer?.userId'] : []),
    'id',
  ].join(', ');
  return `    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const cached = await this.${many}.get(${passed});
    const { etag, ${one} } = cached.value;
    // Clients may keep it, but must revalidate it each time: an answer of a few bytes.
    void reply.header('ETag', etag).header('Cache-Control', '${access === 'public' ? '' : 'private, '}no-cache');
    if (cached.stale) void reply.header('Cache-Status', staleStatus(cached));
    if (isNotModified(request, etag)) void reply.code(304).send();
    else void reply.send(${one} satisfies ${One}Dto);
  }
`;
}

export function cachedTest({ names, cached }: Feature, change: string): string {
  if (!cached) return '';
  return `
  it('are read from the cache, and every change is seen by the next read', async () => {
    const { id, path, etag, body } = await add();
    const read = (headers: Record<string, string> = {}) => api.call('GET', path, { as: ada, headers });
    expect((await read()).body).toEqual(body);
    expect((await read({ 'if-none-match': etag })).status).toBe(304);
    // What happens behind the service is not seen: reads do not ask the database.
    await product.sql(\`UPDATE ${sqlName(names.table)} SET created_at = created_at - interval '1 day' WHERE id = $1\`, [id]);
    expect((await read()).body).toEqual(body);

    const changed = await api.call('PUT', path, { as: ada, body: ${change}, headers: { 'if-match': etag } });
    const again = await read({ 'if-none-match': etag });
    expect([again.status, again.headers.get('etag')]).toEqual([200, changed.headers.get('etag')]);
    expect(again.body).toEqual(changed.body);

    expect(await remove(path)).toBe(204);
    expect((await read()).status).toBe(404);
  });
`;
}

/** Of the spec: copies that are used for as long as a test takes. */
export function cacheSettings({ cached }: Feature): string {
  return cached ? `{ CACHE_TTL_SECONDS: '3600', CACHE_LOCAL_TTL_MS: '60000' }` : '';
}

function capital(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}

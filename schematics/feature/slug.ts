import { withArticle } from '../lib/names.ts';
import { uniqueKeys } from './table.ts';
import type { Feature } from './feature.ts';

/** What a slug is, and how one is made. */
export function slugSource({ names, titled }: Feature): string {
  return `/** What a slug may be; in a path nothing else reaches the service. */
export const SLUG = {
  min: 1,
  max: 100,
  pattern: /^[a-z0-9]+(-[a-z0-9]+)*$/,
  patternName: 'a slug, such as two-words',
  example: 'two-words',
};

/** Leaves room for what makes a slug unique. */
const LONGEST = 80;

/** Words for a path, without accents. Where no Latin letter or digit is left it is just ${withArticle(names.words)}. */
export function slugOf(${titled!.name}: string): string {
  const plain = ${titled!.name}.normalize('NFKD').replaceAll(/\\p{M}/gu, '').toLowerCase();
  const words = plain.match(/[a-z0-9]+/g) ?? ['${names.singular}'];
  return words.join('-').slice(0, LONGEST).replace(/-$/, '');
}
`;
}

/** The method of the service that inserts a row with its slug. */
export function slugInsert(feature: Feature): string {
  const { pascal: One, camel: one, camelPlural: many } = feature.names;
  return `
  /** Where the slug is taken, the row gets a longer one. */
  private async insert(${one}: ${One}): Promise<void> {
    try {
      await this.unitOfWork.savepoint(() => this.${many}.insert(${one}));
    } catch (error) {
      if (!(error instanceof UniqueViolationError && error.constraint === '${uniqueKeys(feature)[0]!.name}')) throw error;
      ${one}.slug = \`\${slugOf(${one}.${feature.titled!.name})}-\${${one}.id.slice(-8)}\`;
      await this.${many}.insert(${one});
    }
  }
`;
}

/** How specs find what stands in paths for a row that they know by its id. */
export function slugSample({ names, parent, path }: Feature): string {
  const list = parent ? `await ${names.camel}Path(api, as)` : `'/v1/${path}'`;
  return `
/** What stands in paths for the row with an id. */
export async function ${names.camel}Slug(api: DocumentedApi, as: string, id: unknown): Promise<string> {
  const path = ${list};
  const { data } = (await api.call('GET', \`\${path}?limit=100\`, { as })).body as { data: { id: string; slug: string }[] };
  const found = data.find((row) => row.id === id);
  assert.ok(found);
  return found.slug;
}
`;
}

/** Slugs as callers see them. */
export function slugTests({ names, titled }: Feature, change: string): string {
  if (!titled) return '';
  const { name, unique, immutable } = titled;
  // Titles that are unique may differ in what a slug does not show.
  const same = (body: string): string =>
    unique ? `String(${body}['${name}']).toUpperCase()` : `${body}['${name}']`;
  return `
  it('have a slug made from their ${name}, which is longer where another one has it', async () => {
    const first = await add();
    const second = await add({ ...bodies[1], ${name}: ${same('first.body')} });
    const [slug, longer] = [first, second].map(({ body }) => String(body['slug']));

    expect([first.path, second.path]).toEqual([\`\${PATH}/\${slug}\`, \`\${PATH}/\${longer}\`]);
    expect(longer).toMatch(new RegExp(\`^\${slug}-[0-9a-f]{8}$\`));
    for (const { path, body } of [first, second])
      expect((await api.call('GET', path, { as: ada })).body).toEqual(body);
    for (const { path } of [first, second]) await remove(path);
  });

  it('have different slugs when two of the same ${name} are added at once', async () => {
    const [first] = bodies as [Record<string, unknown>, object];
    const made = await Promise.all([add(bodies[0]), add({ ...bodies[1], ${name}: ${same('first')} })]);

    expect(new Set(made.map(({ path }) => path)).size).toBe(2);
    for (const { path } of made) await remove(path);
  });
${
  immutable
    ? ''
    : `
  it('keep their slug when their ${name} changes', async () => {
    const { path, body } = await add();
    const changed = await api.call('PUT', path, { as: ada, body: ${change}, headers: { 'if-match': '*' } });

    expect([changed.status, changed.body['slug']]).toEqual([200, body['slug']]);
    expect(changed.body['${name}']).not.toBe(body['${name}']);
    await remove(path);
  });
`
}
  it('are called ${names.singular} in paths when their ${name} has signs only', async () => {
    const made = [await add({ ...bodies[0], ${name}: '!' }), await add({ ...bodies[1], ${name}: '?' })];

    expect(made.map(({ path }) => path.slice(PATH.length).replace(/-[0-9a-f]{8}$/, '-'))).toEqual(['/${names.singular}', '/${names.singular}-']);
    for (const { path } of made) await remove(path);
  });

  // PostgreSQL would find no row, or refuse the value with another code.
  it.each(['Not-A-Slug', '-', 'two--words', 'a_b', 'a%2Fb', '%00', 'a%00'])('are not looked for by %s, which is no slug', async (text) => {
    const { status, body } = await api.call('GET', \`\${PATH}/\${text}\`, { as: ada });

    expect(status).toBe(422);
    expect(body).toMatchObject({ code: 'validation-failed', errors: [{ parameter: 'slug' }] });
  });
`;
}

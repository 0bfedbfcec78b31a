import { isFilter, isSort } from '../lib/fields.ts';
import type { Feature } from './feature.ts';
import { isOwnReference } from './table.ts';

/** What the list does beyond pages: filters, orders, words. */
export function listTests({ names, fields }: Feature): string {
  const quoted = (list: Feature['fields']): string => list.map(({ name }) => `'${name}'`).join(', ');
  const filters = fields.filter((field) => isFilter(field) && !isOwnReference(names, field));
  const sorts = fields.filter(isSort);
  const searched = fields.filter(({ searchable }) => searchable);
  return `${
    filters.length > 0
      ? `
  it.each([${quoted(filters)}])('are found by their %s', async (name) => {
    const added = [await add(bodies[0]), await add(bodies[1])];
    const value = added[0]!.body[name];
    const page = await api.call('GET', \`\${PATH}?\${name}=\${encodeURIComponent(String(value))}\`, { as: ada });

    expect((page.body as { data: object[] }).data).toEqual(
      added.filter(({ body }) => body[name] === value).map(({ body }) => body).toReversed(),
    );
    for (const { path } of added) await remove(path);
  });
`
      : ''
  }${
    sorts.length > 0
      ? `
  it.each([${quoted(sorts)}])('are sorted by their %s, page by page, in both directions', async (name) => {
    const added = [await add(bodies[0]), await add(bodies[1]), ${sorts.some(({ unique }) => unique) || fields.some(({ unique }) => unique) ? '' : 'await add(bodies[0])'}];
    const up = await walk(\`?sort=\${name}&limit=1\`);
    const down = await walk(\`?sort=-\${name}&limit=1\`);

    expect(up.toSorted()).toEqual(added.map(({ id }) => id).toSorted());
    expect(down).toEqual(up.toReversed());
    for (const { path } of added) await remove(path);
  });
`
      : ''
  }${
    searched.length > 0
      ? `
  it.each([${quoted(searched)}])('are found by words in their %s', async (name) => {
    const added = [await add(bodies[0]), await add(bodies[1])];
    const words = encodeURIComponent(String(added[0]!.body[name]));

    expect(await walk(\`?search=\${words}\`)).toEqual([added[0]!.id]);
    expect(await walk('?search=nowhere')).toEqual([]);
    for (const { path } of added) await remove(path);
  });
`
      : ''
  }`;
}

import { isFilter, isSort } from '../lib/fields.ts';
import { decoratorOf } from './dto.ts';
import { sqlName } from '../lib/sql.ts';
import { paging, readScopes, taken, viewer, visible, type Feature } from './feature.ts';

/** Whether the list takes more than limit and cursor. */
export function hasQuery({ fields }: Pick<Feature, 'fields'>): boolean {
  return fields.some((field) => isFilter(field) || isSort(field) || field.searchable);
}

/** The index of the words of all fields that can be searched. */
export function searchIndex({ names, fields }: Feature): { name: string; expression: string } | undefined {
  const searched = fields.filter(({ searchable }) => searchable);
  if (searched.length === 0) return undefined;
  return {
    name: `${names.table}_search_idx`,
    expression: wordsIn(searched.map(({ column, optional }) => ({ text: sqlName(column), optional }))),
  };
}

/** The same in the index and in the query: only then does the query use the index. */
function wordsIn(columns: { text: string; optional: boolean }[]): string {
  const texts = columns.map(({ text, optional }) => (optional ? `coalesce(${text}, '')` : text));
  return `to_tsvector('simple', ${texts.join(` || ' ' || `)})`;
}

/** The query of the list: filters, order, words. */
export function queryDto(feature: Feature): string {
  const { names, fields } = feature;
  const { pascal: One, wordsPlural } = names;
  const filters = fields.filter(isFilter).map((field) => {
    const asked = { ...field, optional: true, default: undefined };
    return `  ${decoratorOf(One, asked)}\n  ${field.name}?: ${field.kind.dto};\n`;
  });
  const sorts = sortsOf(fields);
  const members = [
    ...filters,
    ...(sorts.length > 0
      ? [
          `  @EnumField(SORTS, { optional: true, description: 'Default: newest first.' })\n  sort?: (typeof SORTS)[number];\n`,
        ]
      : []),
    ...(fields.some(({ searchable }) => searchable)
      ? [
          `  @StringField({ min: 1, max: 200, optional: true, description: 'Words that all have to occur; more than one word in quotes is a phrase.' })\n  search?: string;\n`,
        ]
      : []),
  ];
  const decorators = [
    paging(feature).query,
    ...new Set(members.map((member) => /^ {2}@(\w+)/.exec(member)![1]!)),
  ].toSorted((a, b) => a.toLowerCase().localeCompare(b.toLowerCase()));
  return `import { ${decorators.join(', ')} } from '../../../platform/http/index.js';
${sorts.length > 0 ? `\nconst SORTS = [${sorts.map((sort) => `'${sort}'`).join(', ')}] as const;\n` : ''}
/** Which ${wordsPlural} a list has${sorts.length > 0 ? ', and in which order' : ''}. */
export class ${One}Query extends ${paging(feature).query} {
${members.join('\n')}}
`;
}

/** `dueOn` and `-dueOn` for each field that has an order. */
function sortsOf(fields: Feature['fields']): string[] {
  return fields.filter(isSort).flatMap(({ name }) => [name, `-${name}`]);
}

/** Constants of the service, for the list. */
export function listConstants({ names, fields, page }: Feature): string {
  const sorts = fields.filter(isSort);
  const searched = fields.filter(({ searchable }) => searchable);
  const part = (sort = ''): string => (page === 'keyset' ? `, '${sort}'` : '');
  const columns = searched.map(({ name, optional }) => ({ text: `${names.camel}.${name}`, optional }));
  return `${
    sorts.length > 0
      ? `/** By what a list is sorted, in which direction${page === 'keyset' ? ', and what its cursor holds of it' : ''}; the id makes each place unique. */
const NEWEST = ['id', 'DESC'${part('uuid')}] as const;
const SORTS = {
${sorts
  .map(
    ({ name, kind }) => `  ${name}: ['${name}', 'ASC'${part(kind.sort)}],
  '-${name}': ['${name}', 'DESC'${part(kind.sort)}],
`,
  )
  .join('')}} as const;

`
      : ''
  }${
    searched.length > 0
      ? `/** As the index has it: only then does PostgreSQL use it. */
const WORDS = ${JSON.stringify(wordsIn(columns))};

`
      : ''
  }`;
}

/** The list of the service. */
export function listMethod(feature: Feature): string {
  const { names, fields } = feature;
  const { pascal: One, camel: one, camelPlural: many } = names;
  const scopes = readScopes(feature);
  const by = taken(scopes) + viewer(feature);
  const sorts = fields.filter(isSort);
  const searched = fields.some(({ searchable }) => searchable);
  const filtered = fields.some(isFilter);
  const members = [
    'limit',
    feature.page === 'keyset' ? 'cursor' : 'offset',
    ...(sorts.length > 0 ? ['sort'] : []),
    ...(searched ? ['search'] : []),
    ...(filtered ? ['...filters'] : []),
  ];
  const query = hasQuery(feature) ? `${One}Query` : paging(feature).query;
  const signature = `async list(${by}{ ${members.join(', ')} }: ${query}): Promise<${paging(feature).answer}<${One}Dto>>`;
  const scope = [...scopes.map(({ property }) => property), ...(filtered ? ['...filters'] : [])];
  if (feature.page === 'offset') return offsetList(feature, signature, scope);
  if (sorts.length === 0 && !searched) {
    const where =
      scope.length > 0
        ? `{ ${scope.join(', ')}, ...(before !== undefined && { id: LessThan(before) }) }`
        : 'before === undefined ? {} : { id: LessThan(before) }';
    return `  /** Newest first. @throws ClientError 422 on a bad cursor */
  ${signature} {
    const [before] = decodeCursor<[string]>(cursor, ['uuid']) ?? [];
    const rows = await this.${many}.find({
      where: ${visible(feature, where)},
      order: { id: 'DESC' },
      take: limit + 1,
    });
    return pageOf(rows, limit, ({ id }) => [id], present);
  }`;
  }
  const { builder, words } = built(feature, scope);
  if (sorts.length === 0)
    return `  /** Newest first. @throws ClientError 422 on a bad cursor */
  ${signature} {
    const [before] = decodeCursor<[string]>(cursor, ['uuid']) ?? [];
    const query = ${builder};
${words}    if (before !== undefined) query.andWhere('${one}.id < :before', { before });
    const rows = await query.orderBy('${one}.id', 'DESC').limit(limit + 1).getMany();
    return pageOf(rows, limit, ({ id }) => [id], present);
  }`;
  const dates = sorts.some(({ kind }) => kind.toDto);
  const key = dates
    ? `(${one}) => {
      const value = ${one}[by];
      return [value instanceof Date ? value.toISOString() : value, ${one}.id];
    }`
    : `(${one}) => [${one}[by], ${one}.id]`;
  return `  /** In the order that is asked for, by default newest first. @throws ClientError 422 on a bad cursor */
  ${signature} {
    const [by, direction, part] = sort === undefined ? NEWEST : SORTS[sort];
    const [place, id] = decodeCursor<[string | number, string]>(cursor, [part, 'uuid']) ?? [];
    const query = ${builder};
${words}    if (id !== undefined)
      query.andWhere(\`(${one}.\${by}, ${one}.id) \${direction === 'ASC' ? '>' : '<'} (:place, :id)\`, { place, id });
    const rows = await query
      .orderBy(\`${one}.\${by}\`, direction)
      .addOrderBy('${one}.id', direction)
      .limit(limit + 1)
      .getMany();
    return pageOf(rows, limit, ${key}, present);
  }`;
}

/** The start of a query that finds cannot make, and the statement that limits it to the rows with some words. */
function built(feature: Feature, scope: string[]): { builder: string; words: string } {
  const { camel, camelPlural } = feature.names;
  const which = visible(feature, `{ ${scope.join(', ')} }`);
  const where = which === '{  }' ? '' : `.where(${which})`;
  return {
    builder: `this.${camelPlural}.createQueryBuilder('${camel}')${where}`,
    words: feature.fields.some(({ searchable }) => searchable)
      ? `    if (search !== undefined) query.andWhere(\`\${WORDS} @@ websearch_to_tsquery('simple', :search)\`, { search });\n`
      : '',
  };
}

/** With a total, which is counted each time. */
function offsetList(feature: Feature, signature: string, scope: string[]): string {
  const { camel: one, camelPlural: many } = feature.names;
  const sorts = feature.fields.some(isSort);
  if (!sorts && !feature.fields.some(({ searchable }) => searchable)) {
    const which = visible(feature, `{ ${scope.join(', ')} }`);
    return `  /** Newest first. */
  ${signature} {
    const [rows, total] = await this.${many}.findAndCount({
      ${which === '{  }' ? '' : `where: ${which},\n      `}order: { id: 'DESC' },
      take: limit,
      skip: offset,
    });
    return { data: rows.map(present), total };
  }`;
  }
  const { builder, words } = built(feature, scope);
  return `  /** ${sorts ? 'In the order that is asked for, by default newest first.' : 'Newest first.'} */
  ${signature} {
${sorts ? '    const [by, direction] = sort === undefined ? NEWEST : SORTS[sort];\n' : ''}    const query = ${builder};
${words}    const [rows, total] = await query
      ${sorts ? `.orderBy(\`${one}.\${by}\`, direction)\n      .addOrderBy('${one}.id', direction)` : `.orderBy('${one}.id', 'DESC')`}
      .limit(limit)
      .offset(offset)
      .getManyAndCount();
    return { data: rows.map(present), total };
  }`;
}

import { columnsOf, isFilter, type Field } from '../lib/fields.ts';
import { sqlName } from '../lib/sql.ts';
import { writeScopes, type Feature } from './feature.ts';
import { sampleOf } from './sample.ts';
import { isOwnReference, isReference, tableOf } from './table.ts';

/** The spec of a feature without routes: its service on PostgreSQL. */
export function plainTestsOf(feature: Feature): Record<string, string> {
  return { [`test/repositories/${feature.names.plural}.spec.ts`]: spec(feature) };
}

function spec(feature: Feature): string {
  const { names, fields } = feature;
  const { pascal: One, pascalPlural: Many, camelPlural: many, plural, singular, table, wordsPlural } = names;
  const scopes = writeScopes(feature);
  const given = fields.filter((field) => !isOwnReference(names, field));
  const references = given.filter(isReference);
  const tables = [...new Set([...scopes.map((scope) => scope.table), ...references.map(tableOf)])];
  const body = (list: Field[], i: 0 | 1): string =>
    `{ ${list.flatMap((field) => values(field, i)).join(', ')} }`;
  const scope = scopes.map((one) => `ids.${one.table}[0], `).join('');
  const elsewhere = scopes.map((one) => `ids.${one.table}[1], `).join('');
  const changeable = given.filter(({ immutable }) => !immutable);
  const changes = changeable.length < given.length ? 'changes' : 'second';
  const filters = given.filter(isFilter);
  const unique = given.filter((field) => field.unique);
  const defaults = given.filter((field) => field.default !== undefined);
  return `${tables.length > 0 ? `import pg from 'pg';\n` : ''}import { getMetadataArgsStorage } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
// TypeORM wants to know every table to which a foreign key leads: with it all entities are known.
import '../../src/product.modules.js';
import { ${One} } from '../../src/modules/${plural}/${singular}.entity.js';
import { ${Many}Service, type ${One}Fields } from '../../src/modules/${plural}/${plural}.service.js';
import { newId } from '../../src/platform/database/index.js';
${tables.length > 0 ? `import { fillEmptyTables } from '../../scripts/lib/migrations/rows.js';\n` : ''}import { openTestDatabase, type TestDatabase } from '../support/test-database.js';

describe('${wordsPlural}', () => {
  let db: TestDatabase;
  let ${many}: ${Many}Service;
  let first: ${One}Fields;
  let second: ${One}Fields;
${changes === 'changes' ? `  /** Of what may change. */\n  let changes: Partial<${One}Fields>;\n` : ''}${tables.length > 0 ? `  /** Of rows that they refer to, by table. */\n  const ids: Record<${tables.map((name) => `'${name}'`).join(' | ')}, [string, string]> = { ${tables.map((name) => `${name}: ['', '']`).join(', ')} };\n` : ''}
  beforeAll(async () => {
    const entities = getMetadataArgsStorage().tables.map(({ target }) => target);
    db = await openTestDatabase({}, undefined, entities);
    ${many} = new ${Many}Service(db.dataSource.getRepository(${One}));
${
  tables.length > 0
    ? `    const admin = new pg.Client(db.server.adminUrl(new URL(db.settings.database.url).pathname.slice(1)));
    await admin.connect();
    await fillEmptyTables(admin);
    const two = async (text: string) =>
      (await admin.query<{ id: string }>(text)).rows.map(({ id }) => id) as [string, string];
${tables.map((name) => `    ids.${name} = await two('SELECT id FROM ${sqlName(name)} LIMIT 2');\n`).join('')}    await admin.end();
`
    : ''
}    first = ${body(given, 0)};
    second = ${body(given, 1)};
${changes === 'changes' ? `    changes = ${body(changeable, 1)};\n` : ''}  });

  afterAll(() => db?.close());

  beforeEach(async () => {
    await db.database.execute({ text: 'TRUNCATE ${sqlName(table)} CASCADE' });
  });

  it('are added, found, changed and deleted', async () => {
    const added = await ${many}.create(${scope}first);
    expect(added).toMatchObject({ ...first, version: 1 });
    expect(await ${many}.find(${scope}added.id)).toEqual(added);

    expect(await ${many}.change(${scope}added.id, added.version, ${changes})).toBe(true);
    expect(await ${many}.find(${scope}added.id)).toEqual({ ...added, ...${changes}, version: 2 });

    expect(await ${many}.delete(${scope}added.id)).toBe(true);
    expect(await ${many}.delete(${scope}added.id)).toBe(false);
    expect(await ${many}.find(${scope}added.id)).toBeUndefined();
  });

  it('are changed only as the version that was read', async () => {
    const { id, version } = await ${many}.create(${scope}first);
    const change = () => ${many}.change(${scope}id, version, ${changes});

    expect((await Promise.all([change(), change()])).filter(Boolean)).toEqual([true]);
    expect(await ${many}.change(${scope}newId(), version, ${changes})).toBe(false);
  });

  it('are listed newest first, page by page', async () => {
    const added = [await ${many}.create(${scope}first), await ${many}.create(${scope}second)].toReversed();
    expect(await ${many}.list(${scope}{ limit: 10 })).toEqual(added);
    expect(await ${many}.list(${scope}{ limit: 1 })).toEqual(added.slice(0, 1));
    expect(await ${many}.list(${scope}{ limit: 1, before: added[0]!.id })).toEqual(added.slice(1));
  });
${
  filters.length > 0
    ? `
  it.each([${filters.map(({ name }) => `'${name}'`).join(', ')}] as const)('are found by their %s', async (name) => {
    const added = [await ${many}.create(${scope}first), await ${many}.create(${scope}second)].toReversed();
    const which: object = { [name]: first[name] };

    expect(await ${many}.list(${scope}{ limit: 10, ...which })).toEqual(added.filter((one) => one[name] === first[name]));
  });
`
    : ''
}${
    scopes.length > 0
      ? `
  it('do not exist elsewhere', async () => {
    const { id, version } = await ${many}.create(${scope}first);

    expect(await ${many}.find(${elsewhere}id)).toBeUndefined();
    expect(await ${many}.list(${elsewhere}{ limit: 10 })).toEqual([]);
    expect(await ${many}.change(${elsewhere}id, version, ${changes})).toBe(false);
    expect(await ${many}.delete(${elsewhere}id)).toBe(false);
    expect(await ${many}.delete(${scope}id)).toBe(true);
  });
`
      : ''
  }${
    unique.length > 0
      ? `
  it.each([${unique.map(({ name }) => `'${name}'`).join(', ')}] as const)('do not share their %s', async (name) => {
    await ${many}.create(${scope}first);

    await expect(${many}.create(${scope}{ ...second, [name]: first[name] })).rejects.toMatchObject({ code: 'already-exists' });
  });
`
      : ''
  }${
    defaults.length > 0
      ? `
  it('have defaults', async () => {
    const required = ${body(
      given.filter((field) => !field.optional && field.default === undefined),
      0,
    )};

    expect(await ${many}.create(${scope}required)).toMatchObject({ ${defaults.map((field) => `${field.name}: ${field.default}`).join(', ')} });
  });
`
      : ''
  }});
`;
}

/** The columns of a field, as the service takes them. */
function values(field: Field, i: 0 | 1): string[] {
  const { name, kind, kindName } = field;
  if (kindName === 'ref') return [`${name}: ids.${tableOf(field)}[${field.unique ? i : 0}]`];
  if (kindName === 'money') {
    const [amount, currency] = [
      [1990, 'EUR'],
      [0, 'USD'],
    ][i]!;
    const [first, second] = columnsOf(field).map(({ property }) => property);
    return [`${first}: ${amount}`, `${second}: '${currency}'`];
  }
  const value = sampleOf(field, i);
  return [`${name}: ${kind.toEntity ? kind.toEntity(value) : value}`];
}

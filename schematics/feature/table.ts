import type { Field } from '../lib/fields.ts';
import type { Names } from '../lib/names.ts';
import { readScopes, writeScopes, type Feature, type Scope } from './feature.ts';

/** An index or a unique constraint: by the names of its columns and of the entity's properties. */
export interface Key {
  name: string;
  columns: string[];
  properties: string[];
}

const ID: Scope = { property: 'id', column: 'id', table: '' };
const SLUG: Scope = { property: 'slug', column: 'slug', table: '' };

/** Unique among all rows, or among those of a parent or an owner. */
export function uniqueKeys(feature: Feature): Key[] {
  const fields = feature.fields.filter(({ unique }) => unique);
  return [
    // Where a path leads to one row: an owner's own list has its own slugs, and does not show what those of others are.
    ...(feature.titled ? [keyOf(feature, [...readScopes(feature), SLUG], 'key')] : []),
    ...fields.map((field) => keyOf(feature, [...writeScopes(feature), asScope(field)], 'key')),
  ];
}

/**
 * For lists in each of their orders; and for the rows that refer to one of another table, which its deletion looks for.
 */
export function indexes(feature: Feature): Key[] {
  const scopes = readScopes(feature);
  const indexed = feature.fields.filter(({ indexed: is }) => is);
  const keys = [
    ...(scopes.length > 0 ? [[...scopes, ID]] : []),
    ...writeScopes(feature)
      .filter((scope) => scope !== scopes[0])
      .map((scope) => [scope, ID]),
    ...indexed.filter((field) => !isReference(field)).map((field) => [...scopes, asScope(field), ID]),
    // A unique constraint that begins with it serves as well.
    ...feature.fields
      .filter((field) => isReference(field) && !(field.unique && writeScopes(feature).length === 0))
      .map((field) => [asScope(field), ID]),
  ].map((columns) => keyOf(feature, columns, 'idx'));
  return keys.filter(({ name }, i) => keys.findIndex((key) => key.name === name) === i);
}

function asScope({ name, column }: Field): Scope {
  return { property: name, column, table: '' };
}

/** PostgreSQL cuts names after 63 bytes, and TypeORM would look for the whole one. */
const LONGEST_NAME = 63;

function keyOf({ names: { table } }: Feature, columns: Scope[], kind: 'key' | 'idx'): Key {
  const names = columns.map(({ column }) => column);
  return {
    name: keyName(table, names, kind),
    columns: names,
    properties: columns.map(({ property }) => property),
  };
}

/** The name of an index or a unique constraint. */
export function keyName(table: string, columns: string[], kind: 'key' | 'idx'): string {
  return `${[table, ...columns].join('_').slice(0, LONGEST_NAME - kind.length - 1)}_${kind}`;
}

/** The name of a foreign key. */
export function foreignKeyName(table: string, column: string): string {
  return `${`${table}_${column}`.slice(0, LONGEST_NAME - 5)}_fkey`;
}

/** The table that a reference points to. */
export function tableOf({ argument }: Field): string {
  return argument.replaceAll('-', '_');
}

/** To a row of the same table, such as a parent in a tree. */
export function isOwnReference({ plural }: Names, field: Field): boolean {
  return isReference(field) && field.argument === plural;
}

export function isReference({ kindName }: Field): boolean {
  return kindName === 'ref';
}

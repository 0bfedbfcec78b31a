import type { Field } from '../lib/fields.ts';
import type { Feature } from './feature.ts';

/** An index or a unique constraint: by the names of its columns and of the entity's properties. */
export interface Key {
  name: string;
  columns: string[];
  properties: string[];
}

/** Unique among all rows, or among those of an owner. */
export function uniqueKeys({ names, fields, owner }: Feature): Key[] {
  return fields
    .filter(({ unique }) => unique)
    .map(({ name, column }) => ({
      name: `${names.table}_${owner ? 'user_id_' : ''}${column}_key`,
      columns: [...(owner ? ['user_id'] : []), column],
      properties: [...(owner ? ['userId'] : []), name],
    }));
}

/** For lists in each of their orders, and for the rows that refer to one of another feature, which its deletion looks for. */
export function indexes({ names, fields, owner }: Feature): Key[] {
  const indexed = fields.filter(({ indexed: is, kindName, unique }) => is || (kindName === 'ref' && !unique));
  return [
    ...(owner ? [keyOf(names.table, ['user_id', 'id'], ['userId', 'id'])] : []),
    ...indexed.map(({ kindName, name, column }) => {
      const scoped = owner && kindName !== 'ref';
      return keyOf(
        names.table,
        [...(scoped ? ['user_id'] : []), column, 'id'],
        [...(scoped ? ['userId'] : []), name, 'id'],
      );
    }),
  ];
}

function keyOf(table: string, columns: string[], properties: string[]): Key {
  return { name: `${table}_${columns.join('_')}_idx`, columns, properties };
}

/** The table that a reference points to. */
export function tableOf({ argument }: Field): string {
  return argument.replaceAll('-', '_');
}

export function isReference({ kindName }: Field): boolean {
  return kindName === 'ref';
}

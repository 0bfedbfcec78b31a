import type { Field } from '../lib/fields.ts';
import type { Names } from '../lib/names.ts';

/** What a feature is made from. */
export interface Feature {
  names: Names;
  fields: Field[];
  owner: boolean;
  /** Of the migration, in milliseconds. */
  timestamp: number;
}

/** The DTO of a new row, and its file. */
export function createClass({ names, fields }: Feature): { name: string; file: string } {
  return fields.some(({ immutable }) => immutable)
    ? { name: `Create${names.pascal}Dto`, file: `create-${names.singular}` }
    : { name: `${names.pascal}FieldsDto`, file: `${names.singular}-fields` };
}

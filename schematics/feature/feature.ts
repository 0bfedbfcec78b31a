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

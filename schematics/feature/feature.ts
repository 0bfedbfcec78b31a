import { snake, type Names } from '../lib/names.ts';
import type { Declared } from '../processor/handler.ts';
import type { Field } from '../lib/fields.ts';

/**
 * Who reads: everybody; everybody what is published, and the owner of a row the rest as well; every caller; the owner alone; or admins.
 */
export type Access = 'public' | 'optional' | 'caller' | 'owner' | 'admin';

/** The field that says whether others than its owner see a row, with access "optional". */
export const PUBLISHED = 'published:boolean:default(false)';

/** An event of another feature, with a payload for the spec. */
export type Consumed = Pick<Declared, 'feature' | 'constant' | 'event'> & { payload: string };

/** Where rows are deleted: below a list, by their ids or by what a function of their sample finds for an id. */
export interface Deletion {
  /** An expression of a spec. */
  list: string;
  slugBy?: string;
}

/** The path of a list as a template of a spec has it. */
export function inTemplate({ list }: Deletion): string {
  return list.startsWith("'") ? list.slice(1, -1) : `\${${list}}`;
}

/** What a feature is made from. */
export interface Feature {
  names: Names;
  fields: Field[];
  /** A row belongs to the caller that made it: it alone changes it. Without, admins do. */
  owner: boolean;
  access: Access;
  /** Rows belong to rows of another feature. */
  parent?: Names;
  /** The field of whose text a row's slug is made: that stands for the row in paths, instead of its id. */
  titled?: Field;
  /** Below `/v1`, or below the parent. */
  path: string;
  /** By a cursor, or by numbers of pages with a total. */
  page: 'keyset' | 'offset';
  /** Announces its changes, and handles them. */
  events: boolean;
  /** Another feature's event that it handles. */
  consumes?: Consumed;
  /** POST takes an Idempotency-Key. */
  idempotent: boolean;
  /** Reads by id go through the cache. */
  cached: boolean;
  /** The function that makes a row of another feature, by the feature: of their test/e2e/*.sample.ts. */
  samples: Record<string, string>;
  /** Where rows of another feature are deleted, by the feature. */
  deletions: Record<string, Deletion>;
  /** Of the migration, in milliseconds. */
  timestamp: number;
}

/** Fields of a feature that is there already, with nothing around them. */
export function fieldsAlone(names: Names, fields: Field[]): Feature {
  return {
    names,
    fields,
    owner: false,
    access: 'caller',
    path: names.plural,
    page: 'keyset',
    events: false,
    idempotent: false,
    cached: false,
    samples: {},
    deletions: {},
    timestamp: 0,
  };
}

/** The DTO of a new row, and its file. */
export function createClass({ names, fields }: Feature): { name: string; file: string } {
  return fields.some(({ immutable }) => immutable)
    ? { name: `Create${names.pascal}Dto`, file: `create-${names.singular}` }
    : { name: `${names.pascal}FieldsDto`, file: `${names.singular}-fields` };
}

/** What stands for a row in paths. */
export function keyOf({ titled }: Pick<Feature, 'titled'>): 'id' | 'slug' {
  return titled ? 'slug' : 'id';
}

/** A column that narrows the rows of a request: those of a parent, of an owner. */
export interface Scope {
  property: string;
  column: string;
  /** The table that it refers to. */
  table: string;
}

function parentScope({ parent }: Feature): Scope[] {
  if (!parent) return [];
  const property = `${parent.camel}Id`;
  return [{ property, column: snake(property), table: parent.table }];
}

const OWNER: Scope = { property: 'userId', column: 'user_id', table: 'users' };

/** Of a row that is made, changed or deleted. */
export function writeScopes(feature: Feature): Scope[] {
  return [...parentScope(feature), ...(feature.owner ? [OWNER] : [])];
}

/** Of a row that is read. */
export function readScopes(feature: Feature): Scope[] {
  return [...parentScope(feature), ...(feature.access === 'owner' ? [OWNER] : [])];
}

/** As Nest has it: `v1/products/:productId/reviews`. */
export function routeOf({ parent, path }: Feature): string {
  return parent ? `v1/${parent.plural}/:${parent.camel}Id/${path}` : `v1/${path}`;
}

/** Names of members as arguments, each with a comma behind. */
export function passed(scopes: Scope[]): string {
  return scopes.map(({ property }) => `${property}, `).join('');
}

/** The same as parameters. */
export function taken(scopes: Scope[]): string {
  return scopes.map(({ property }) => `${property}: string, `).join('');
}

/** What the platform has for the list. */
export function paging({ page }: Feature): { query: string; answer: string; decorator: string } {
  return page === 'offset'
    ? { query: 'OffsetQuery', answer: 'OffsetPage', decorator: 'ApiOffsetPage' }
    : { query: 'PageQuery', answer: 'Page', decorator: 'ApiPage' };
}

/** Who asks, where that is not in a scope: as a parameter. */
export function viewer({ access }: Feature): string {
  return access === 'optional' ? 'viewer: string | undefined, ' : '';
}

/** What limits a read, as an expression of the service: the rows in a scope, or of those the ones that a viewer may see. */
export function visible({ access }: Feature, where: string): string {
  return access === 'optional' ? `visibleTo(viewer, ${where})` : where;
}

/** Whether answers name it: the parent, and the owner where others see the row. */
export function shownScope({ access }: Feature, property: string): boolean {
  return property !== 'userId' || access !== 'owner';
}

import { GeneratorFailure } from './failure.ts';
import { KINDS, type Kind } from './kinds.ts';
import { kebab, snake } from './names.ts';

/** A field of a feature, as it was asked for. */
export interface Field {
  /** Of the member and the property: `dueOn`; of a reference with `Id`: `customerId`. */
  name: string;
  /** Of its column, when it has one: `due_on`. */
  column: string;
  kindName: string;
  kind: Kind;
  argument: string;
  /** Many of them: `tags:string[]`. */
  array: boolean;
  /** Of a json field. */
  members: Field[];
  /** May be absent, and is empty then. */
  optional: boolean;
  unique: boolean;
  /** Has an index, and lists filter and sort by it. */
  indexed: boolean;
  /** Set when a row is made, and never again. */
  immutable: boolean;
  searchable: boolean;
  /** What an absent member means, as an expression. */
  default?: string;
}

const FLAGS = ['optional', 'unique', 'indexed', 'immutable', 'searchable'] as const;
type Flag = (typeof FLAGS)[number];
const OPTIONS = [...FLAGS, 'default(…)'];
/** Every row has these. */
const TAKEN = ['id', 'userId', 'version', 'createdAt'];
/** Parameters of each list, and members that JavaScript knows on every object. */
const RESERVED = [
  'limit',
  'cursor',
  'sort',
  'search',
  'offset',
  'constructor',
  'prototype',
  'hasOwnProperty',
  'toString',
  'valueOf',
];
/** A btree entry has 2,704 bytes at most, and a character up to four. */
const LONGEST_INDEXED = 600;
const FIELD = /^([a-zA-Z]\w*):([a-z]+)(?:\(([^()]*)\))?(\[\])?((?::[a-z]+(?:\([^()]*\))?)*)$/;

/**
 * Reads a list of fields: `name:kind(argument):option:option`, separated by spaces.
 * @throws GeneratorFailure that names the field and what is known
 */
export function fieldsOf(text: string): Field[] {
  const fields = (text.match(/(?:\([^)]*\)|[^\s(])+/g) ?? []).map((one) => fieldOf(one));
  if (fields.length === 0)
    throw new GeneratorFailure(
      'Give at least one field: --fields "number:string(40):unique dueOn:date:optional"',
    );
  requireDistinct(fields);
  return fields;
}

/** Neither members nor columns twice: money is two columns. */
function requireDistinct(fields: Field[]): void {
  const names = fields.flatMap((field) => {
    const columns = columnsOf(field).map(({ column }) => column);
    return [...new Set([snake(field.name), ...columns])];
  });
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) throw new GeneratorFailure(`The field ${twice} is there twice.`);
}

function fieldOf(text: string): Field {
  const [, given, kindName, argument = '', brackets, options = ''] = FIELD.exec(text) ?? [];
  if (given === undefined || kindName === undefined)
    throw new GeneratorFailure(
      `"${text}" is no field: write name:kind, such as dueOn:date or status:enum(draft,sent).`,
    );
  const kind = Object.hasOwn(KINDS, kindName) ? KINDS[kindName] : undefined;
  if (!kind)
    throw new GeneratorFailure(
      `${text}: there is no kind "${kindName}". There are: ${Object.keys(KINDS).join(', ')}.`,
    );
  checkArgument(text, kind, argument);
  const name = kind.argument === 'feature' ? `${given}Id` : given;
  if (!/^[a-z][a-zA-Z0-9]*$/.test(name))
    throw new GeneratorFailure(`${text}: write the name in camelCase, such as dueOn.`);
  if (TAKEN.includes(name))
    throw new GeneratorFailure(`${text}: every row has ${name} already; choose another name.`);
  if (RESERVED.includes(name))
    throw new GeneratorFailure(`${text}: ${name} has a meaning already; choose another name.`);
  const members = kind.argument === 'members' ? membersOf(text, argument) : [];
  const field = {
    name,
    column: snake(name),
    kindName,
    kind,
    argument: kind.argument === 'members' ? argument : argument.replaceAll(' ', ''),
    array: brackets !== undefined,
    members,
    ...optionsOf(text, options),
  };
  checkOptions(text, field);
  return field;
}

/** `json(street:string, zip:string)` */
function membersOf(text: string, argument: string): Field[] {
  const members = argument.split(',').map((member) => fieldOf(member.trim()));
  const unfit = members.find(
    ({ kind, kindName, array }) => kind.argument === 'feature' || kindName === 'money' || array,
  );
  if (unfit) throw new GeneratorFailure(`${text}: ${unfit.name} cannot be a member of json.`);
  const narrowed = members.find((member) => member.unique || member.indexed || member.searchable);
  if (narrowed) throw new GeneratorFailure(`${text}: a member of json is optional or not, and nothing else.`);
  requireDistinct(members);
  return members;
}

function optionsOf(text: string, options: string): Record<Flag, boolean> & { default?: string } {
  const asked = options.match(/:[a-z]+(\([^()]*\))?/g)?.map((option) => option.slice(1)) ?? [];
  const initial = asked.find((option) => /^default\(.+\)$/.test(option));
  const unknown = asked.find((option) => option !== initial && !FLAGS.includes(option as Flag));
  if (unknown)
    throw new GeneratorFailure(`${text}: there is no option "${unknown}". There are: ${OPTIONS.join(', ')}.`);
  const flags = Object.fromEntries(FLAGS.map((flag) => [flag, asked.includes(flag)])) as Record<
    Flag,
    boolean
  >;
  return { ...flags, ...(initial && { default: initial.slice('default('.length, -1) }) };
}

/** Rejects what a kind cannot be; gives a default its form in the code. */
function checkOptions(text: string, field: Field): void {
  const { kind, kindName, argument } = field;
  const refuse = (why: string): never => {
    throw new GeneratorFailure(`${text}: ${why}.`);
  };
  if (field.array && !kind.element) {
    const fit = Object.keys(KINDS).filter((name) => KINDS[name]?.element);
    refuse(`there are no arrays of ${kindName}; there are of ${fit.join(', ')}`);
  }
  const fits =
    kind.indexable && !field.array && (kindName !== 'string' || Number(argument || 200) <= LONGEST_INDEXED);
  if ((field.unique || field.indexed) && !fits)
    refuse(
      kindName === 'string' && !field.array
        ? `an index holds a string of at most ${LONGEST_INDEXED} characters`
        : `${kindName}${field.array ? '[]' : ''} cannot be unique or indexed`,
    );
  if (field.searchable && (!kind.words || field.array)) refuse(`${kindName} has no words to search for`);
  if (field.default === undefined) return;
  if (field.optional) refuse('what has a default is not optional');
  if (!kind.literal || field.array) refuse(`${kindName}${field.array ? '[]' : ''} has no defaults`);
  const wrong =
    !kind.literal?.test(field.default) ||
    (kindName === 'enum' && !argument.split(',').includes(field.default)) ||
    (kindName === 'string' && field.default.length > Number(argument || 200)) ||
    (kindName === 'decimal' && !fitsDigits(field.default, argument));
  if (wrong) refuse(`"${field.default}" is no default of it`);
  if (kindName === 'decimal') field.default = withAllDigits(field.default, argument);
  if (kind.dto === 'string') field.default = `'${field.default}'`;
}

function fitsDigits(number: string, digits: string): boolean {
  const [precision = 0, scale = 0] = (digits || '12,2').split(',').map(Number);
  const [whole = '', fraction = ''] = number.replace('-', '').split('.');
  return whole.length <= precision - scale && fraction.length <= scale;
}

/** As PostgreSQL gives it back: a new row has no other value than the same row when it is read. */
function withAllDigits(number: string, digits: string): string {
  const scale = Number((digits || '12,2').split(',')[1] ?? 0);
  const [whole, fraction = ''] = number.split('.');
  return scale > 0 ? `${whole}.${fraction.padEnd(scale, '0')}` : number;
}

const ARGUMENTS = {
  length: { pattern: /^(|[1-9]\d{0,3})$/, example: 'string(40)' },
  words: { pattern: /^[a-z][\w-]*( ?, ?[a-z][\w-]*)+$/, example: 'enum(draft,sent)' },
  digits: { pattern: /^(|[1-9]\d? ?, ?\d)$/, example: 'decimal(12,2)' },
  feature: { pattern: /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, example: 'ref(users)' },
  members: {
    pattern: /^[a-zA-Z]\w*:[a-z]+(:optional)?( ?, ?[a-zA-Z]\w*:[a-z]+(:optional)?)*$/,
    example: 'json(street:string,zip:string:optional)',
  },
};

/** How fields are written, for the help of the generators that take them. */
export function fieldsHelp(): string {
  const written = Object.entries(KINDS).map(([name, { argument }]) =>
    argument ? ARGUMENTS[argument].example.replace(/^\w+/, name) : name,
  );
  const arrays = Object.keys(KINDS).filter((name) => KINDS[name]?.element);
  return `Fields, separated by spaces: name:kind, name:kind(argument), and options after further colons.
  kinds    ${written.join(', ')}
           lists, such as string(40)[], of ${arrays.join(', ')}
  options  optional
           unique          no two rows share a value
           default(draft)  a field that may be left out and is never empty
           immutable       set when a row is added, and never again
           indexed         lists can be filtered and sorted by it
           searchable      lists can be searched for its words
  example  "number:string(40):unique:immutable price:money dueOn:date:optional:indexed status:enum(draft,sent):default(draft)"
`;
}

function checkArgument(text: string, kind: Kind, argument: string): void {
  if (!kind.argument) {
    if (argument) throw new GeneratorFailure(`${text}: this kind takes nothing in parentheses.`);
    return;
  }
  const { pattern, example } = ARGUMENTS[kind.argument];
  if (!pattern.test(argument)) throw new GeneratorFailure(`${text}: write it like ${example}.`);
  if (kind.argument === 'digits' && argument) {
    const [precision = 0, scale = 0] = argument.split(',').map(Number);
    if (scale > precision)
      throw new GeneratorFailure(`${text}: of ${precision} digits ${scale} cannot be behind the point.`);
  }
  if (kind.argument === 'words') {
    const words = argument.replaceAll(' ', '').split(',');
    if (new Set(words).size < words.length) throw new GeneratorFailure(`${text}: a word is there twice.`);
  }
}

/** A column of a field, as the entity and the migration have it. */
export interface Column {
  /** `priceAmount` */
  property: string;
  /** `price_amount` */
  column: string;
  comment?: string;
  sql: string;
  orm: [type: string, options?: string];
  type: string;
}

/** @param className of a nested object */
export function columnsOf(field: Field, className = 'object'): Column[] {
  const { kind, name, argument, array } = field;
  return kind.columns(argument).map(({ suffix, sql, orm, type, ...rest }) => {
    // `amount:money` is `amount` and `amountCurrency`.
    const property = suffix === 'Amount' && /amount$/i.test(name) ? name : `${name}${suffix}`;
    const [ormType, options] = orm;
    return {
      ...rest,
      property,
      column: snake(property),
      sql: array ? `${sql}[]` : sql,
      orm: array ? [ormType, [options, 'array: true'].filter(Boolean).join(', ')] : [ormType, options],
      type: array ? `${type}[]` : type || className,
    };
  });
}

/** The class of a field that is an object, and its file. */
export function classOf(
  owner: string,
  { name, kindName }: Field,
): { name: string; file: string } | undefined {
  if (kindName === 'money') return { name: `${owner}MoneyDto`, file: `${kebab(owner)}-money` };
  if (kindName !== 'json') return undefined;
  const own = `${owner}${name[0]!.toUpperCase()}${name.slice(1)}`;
  return { name: `${own}Dto`, file: kebab(own) };
}

/** Lists may ask for rows with one of its values. */
export function isFilter({ kind, indexed, unique, kindName, array }: Field): boolean {
  return !array && kind.filter === true && (indexed || unique || kindName === 'ref');
}

/** Lists may be in its order. Empty values have no place in one. */
export function isSort({ kind, indexed, optional, array }: Field): boolean {
  return !array && kind.sort !== undefined && indexed && !optional;
}

import { GeneratorFailure } from './failure.ts';
import { KINDS, type Kind } from './kinds.ts';
import { snake } from './names.ts';

/** A field of a feature, as it was asked for. */
export interface Field {
  /** Of the property: `dueOn`; of a reference with `Id`: `customerId`. */
  name: string;
  column: string;
  kindName: string;
  kind: Kind;
  argument: string;
  optional: boolean;
  unique: boolean;
}

const OPTIONS = ['optional', 'unique'];
/** Every row has these. */
const TAKEN = ['id', 'userId', 'version', 'createdAt'];
const FIELD = /^([a-zA-Z]\w*):([a-z]+)(?:\(([^()]*)\))?((?::[a-z]+)*)$/;

/**
 * Reads a list of fields: `name:kind(argument):option:option`, separated by spaces.
 * @throws GeneratorFailure that names the field and what is known
 */
export function fieldsOf(text: string): Field[] {
  const fields = (text.match(/[^\s(]+(?:\([^)]*\))?[^\s(]*/g) ?? []).map(fieldOf);
  if (fields.length === 0)
    throw new GeneratorFailure(
      'Give at least one field: --fields "number:string(40):unique dueOn:date:optional"',
    );
  const names = fields.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) throw new GeneratorFailure(`The field ${twice} is there twice.`);
  return fields;
}

function fieldOf(text: string): Field {
  const [, given, kindName, argument = '', options = ''] = FIELD.exec(text) ?? [];
  if (given === undefined || kindName === undefined)
    throw new GeneratorFailure(
      `"${text}" is no field: write name:kind, such as dueOn:date or status:enum(draft,sent).`,
    );
  const kind = KINDS[kindName];
  if (!kind)
    throw new GeneratorFailure(
      `${text}: there is no kind "${kindName}". There are: ${Object.keys(KINDS).join(', ')}.`,
    );
  const asked = options.split(':').filter(Boolean);
  const unknown = asked.find((option) => !OPTIONS.includes(option));
  if (unknown)
    throw new GeneratorFailure(`${text}: there is no option "${unknown}". There are: ${OPTIONS.join(', ')}.`);
  checkArgument(text, kind, argument);
  const name = kind.argument === 'feature' ? `${given}Id` : given;
  if (!/^[a-z][a-zA-Z0-9]*$/.test(name))
    throw new GeneratorFailure(`${text}: write the name in camelCase, such as dueOn.`);
  if (TAKEN.includes(name))
    throw new GeneratorFailure(`${text}: every row has ${name} already; choose another name.`);
  return {
    name,
    column: snake(name),
    kindName,
    kind,
    argument: argument.replaceAll(' ', ''),
    optional: asked.includes('optional'),
    unique: asked.includes('unique'),
  };
}

const ARGUMENTS = {
  length: { pattern: /^(|[1-9]\d{0,3})$/, example: 'string(40)' },
  words: { pattern: /^[a-z][\w-]*( ?, ?[a-z][\w-]*)+$/, example: 'enum(draft,sent)' },
  digits: { pattern: /^(|[1-9]\d?, ?\d)$/, example: 'decimal(12,2)' },
  feature: { pattern: /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, example: 'ref(users)' },
};

function checkArgument(text: string, kind: Kind, argument: string): void {
  if (!kind.argument) {
    if (argument) throw new GeneratorFailure(`${text}: this kind takes nothing in parentheses.`);
    return;
  }
  const { pattern, example } = ARGUMENTS[kind.argument];
  if (!pattern.test(argument)) throw new GeneratorFailure(`${text}: write it like ${example}.`);
}

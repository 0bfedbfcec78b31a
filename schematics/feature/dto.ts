import { classOf, type Field } from '../lib/fields.ts';
import { MONEY_MEMBERS } from '../lib/kinds.ts';
import { withArticle } from '../lib/names.ts';
import { createClass, shownScope, writeScopes, type Feature } from './feature.ts';

/** The classes of fields that are objects. */
export function classes({ names, fields }: Feature, folder: string): Record<string, string> {
  return Object.fromEntries(
    fields.flatMap((field) => {
      const own = classOf(names.pascal, field);
      if (!own) return [];
      const members = field.kindName === 'money' ? MONEY_MEMBERS : membersOf(names.pascal, field.members);
      const decorators =
        field.kindName === 'money' ? ['IntField', 'StringField'] : decoratorsOf(names.pascal, field.members);
      const text = `import { ${decorators.join(', ')} } from '../../../platform/http/index.js';

export class ${own.name} {
${members}}
`;
      return [[`${folder}/dto/${own.file}.dto.ts`, text]];
    }),
  );
}

/** The decorator of a field's member, as it stands above it. */
export function decoratorOf(owner: string, field: Field): string {
  const { kind, argument, array, optional, default: initial } = field;
  const [name, options, first] = kind.decorator(argument, classOf(owner, field)?.name ?? '');
  const presence = optional || initial !== undefined ? ['optional: true'] : [];
  const more = [...presence, ...(initial === undefined ? [] : [`default: ${initial}`])];
  if (array) {
    const list = kind.dto === 'number' ? 'IntListField' : 'StringListField';
    return `@${list}({ ${[`each: { ${kind.element!(argument)} }`, ...more].join(', ')} })`;
  }
  const all = [options, ...more].filter(Boolean).join(', ');
  return `@${name}(${[first, all && `{ ${all} }`].filter(Boolean).join(', ')})`;
}

/** The member of a field in a DTO. */
export function memberOf(owner: string, field: Field): string {
  const { name, kind, array, optional, default: initial } = field;
  const type = `${kind.dto ?? classOf(owner, field)?.name}${array ? '[]' : ''}`;
  const declared =
    initial === undefined ? `${name}${optional ? '?' : '!'}: ${type}` : `${name}: ${type} = ${initial}`;
  return `  ${decoratorOf(owner, field)}\n  ${declared};\n`;
}

function membersOf(owner: string, fields: Field[]): string {
  return fields.map((field) => memberOf(owner, field)).join('\n');
}

function decoratorsOf(owner: string, fields: Field[]): string[] {
  const names = fields.map((field) => /^@(\w+)/.exec(decoratorOf(owner, field))![1]!);
  return [...new Set(names)].toSorted();
}

/** Imports of what the members of a DTO need. */
function importsOf(owner: string, fields: Field[]): string {
  const files = new Map(
    fields.flatMap((field) => {
      const own = classOf(owner, field);
      return own ? [[own.file, own.name]] : [];
    }),
  );
  return [
    `import { ${decoratorsOf(owner, fields).join(', ')} } from '../../../platform/http/index.js';\n`,
    ...[...files].map(([file, name]) => `import { ${name} } from './${file}.dto.js';\n`),
  ].join('');
}

/** What a caller sets, now and later. */
export function fieldsDto({ names, fields }: Feature): string {
  const changeable = fields.filter(({ immutable }) => !immutable);
  const rest = changeable.length < fields.length ? ' and may change later' : '';
  return `${importsOf(names.pascal, changeable)}
/** The fields of ${withArticle(names.words)} that a caller sets${rest}. */
export class ${names.pascal}FieldsDto {
${membersOf(names.pascal, changeable)}}
`;
}

/** With what a caller sets once. */
export function createDto({ names, fields }: Feature): string {
  const fixed = fields.filter(({ immutable }) => immutable);
  return `${importsOf(names.pascal, fixed)}import { ${names.pascal}FieldsDto } from './${names.singular}-fields.dto.js';

/** A new ${names.words}: with the fields that never change. */
export class Create${names.pascal}Dto extends ${names.pascal}FieldsDto {
${membersOf(names.pascal, fixed)}}
`;
}

/** What a caller gets. */
export function dto(feature: Feature): string {
  const { names } = feature;
  const base = createClass(feature);
  const { titled } = feature;
  return `import { DateTimeField, ${titled ? 'StringField, ' : ''}UuidField } from '../../../platform/http/index.js';
${titled ? `import { SLUG } from '../${names.singular}-slug.js';\n` : ''}import { ${base.name} } from './${base.file}.dto.js';

export class ${names.pascal}Dto extends ${base.name} {
  @UuidField()
  id!: string;

${titled ? '  @StringField(SLUG)\n  slug!: string;\n\n' : ''}${writeScopes(feature)
    .filter(({ property }) => shownScope(feature, property))
    .map(({ property }) => `  @UuidField()\n  ${property}!: string;\n\n`)
    .join('')}  @DateTimeField()
  createdAt!: string;
}
`;
}

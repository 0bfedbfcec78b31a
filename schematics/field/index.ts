import type { Rule } from '@angular-devkit/schematics';
import ts from 'typescript';
import { BY_DEFAULT, defaultRow, defaultsTest } from '../feature/behaviour-tests.ts';
import { classes, decoratorOf, memberOf as dtoMember } from '../feature/dto.ts';
import { properties } from '../feature/entity.ts';
import { fieldsAlone } from '../feature/feature.ts';
import { ME, valueOf as sampleOf } from '../feature/sample.ts';
import { toDto, toEntity } from '../feature/service.ts';
import { indexes, isReference } from '../feature/table.ts';
import {
  decoration,
  find,
  inserted,
  parse,
  valueOf,
  withElement,
  withImport,
  withMember,
  withProperty,
  type Edited,
} from '../lib/edit.ts';
import { existingFeature, type Existing } from '../lib/existing.ts';
import { GeneratorFailure } from '../lib/failure.ts';
import { classOf, columnsOf, fieldsOf, type Field } from '../lib/fields.ts';
import { generator, type Files } from '../lib/generator.ts';
import { imported } from '../lib/modules.ts';
import { namesOf } from '../lib/names.ts';
import { documentReferences, leadsTo } from '../lib/references.ts';
import { migrationsOf } from './migrations.ts';

interface Options {
  name: string;
  fields: string;
  timestamp?: number;
}

/** `npm run g -- field invoices "note:text:optional"`: adds fields to a feature, in each place where a field stands. */
export function field({ name, fields, timestamp = Date.now() }: Options): Rule {
  return generator((files) => {
    const feature = existingFeature(files, name);
    const added = fieldsOf(fields);
    for (const one of added) refuse(files, feature, one);
    files.create({ ...migrationsOf(feature.names, added, timestamp), ...classesOf(files, feature, added) });
    for (const one of added) {
      if (isReference(one)) documentReferences(files, one.argument);
      addToSource(files, feature, one);
      addToTests(files, feature, one);
    }
  });
}

function refuse(files: Files, { folder, entity, properties: there, names }: Existing, one: Field): void {
  const taken = columnsOf(one).find(({ property }) => there.includes(property));
  if (taken) throw new GeneratorFailure(`${entity} has ${taken.property} already: choose another name.`);
  if (!one.optional && one.default === undefined)
    throw new GeneratorFailure(
      `${one.name}: rows are there without it, and processes of the release before add more. ${
        one.kind.literal && !one.array
          ? `Give it a default, which those get: ${one.name}:${one.kindName}:default(…); or make`
          : 'Make'
      } it optional, fill it, and require it a release later (docs/operations/migrations.md).`,
    );
  if (one.unique || one.indexed || one.searchable || one.immutable)
    throw new GeneratorFailure(
      `${one.name}: add it as optional alone, then change ${entity}, then npm run g -- migration: the rows that are there decide.`,
    );
  if (isReference(one) && !files.has(`src/modules/${one.argument}/index.ts`))
    throw new GeneratorFailure(`There is no feature ${one.argument} to refer to.`);
  if (isReference(one) && one.argument !== 'users' && !files.has(`test/e2e/${one.argument}.sample.ts`))
    throw new GeneratorFailure(
      `The tests need a row to refer to: write test/e2e/${one.argument}.sample.ts, as generated features have it, first.`,
    );
  const dto = `${folder}/dto/${names.singular}-fields.dto.ts`;
  if (!files.has(dto))
    throw new GeneratorFailure(`${dto} is not there, where the fields of this feature would be.`);
}

function addToSource(files: Files, { folder, entity, names, properties: there }: Existing, one: Field): void {
  const own = classOf(names.pascal, one);
  const columns = columnsOf(one, own?.name);
  files.edit(entity, (text) => {
    const edited = withProperty(
      text,
      columns[0]!.property,
      properties({ names }, one, initialOf(one)).trimEnd(),
      {
        before: there.includes('version') ? 'version' : 'createdAt',
      },
    );
    if (isReference(one)) return withIndex(imported(edited, ['ForeignKey', 'Index'], 'typeorm'), names, one);
    const typed = imported(edited, ['Column'], 'typeorm');
    return one.kindName === 'json' && own
      ? imported(typed, [`type ${own.name}`], `./dto/${own.file}.dto.js`)
      : typed;
  });
  files.edit(`${folder}/dto/${names.singular}-fields.dto.ts`, (text) => {
    const edited = withProperty(text, one.name, dtoMember(names.pascal, one).trimEnd(), {
      of: (node) => node.name?.text === `${names.pascal}FieldsDto`,
    });
    const decorator = /^@(\w+)/.exec(decoratorOf(names.pascal, one))![1]!;
    const decorated = imported(edited, [decorator], '../../../platform/http/index.js');
    return own ? imported(decorated, [own.name], `./${own.file}.dto.js`) : decorated;
  });
  const service = `${folder}/${names.plural}.service.ts`;
  files.edit(service, (text) => withColumns(text, one));
  files.edit(service, (text) =>
    withUpdated(
      text,
      columns.map(({ column }) => column),
    ),
  );
  files.edit(service, (text) =>
    withMember(text, returnedBy(text, 'present'), one.name, toDto(names.camel, one), 'createdAt'),
  );
}

function addToTests(files: Files, { names }: Existing, one: Field): void {
  const sample = `test/e2e/${names.plural}.sample.ts`;
  if (!files.has(sample)) {
    files.left.push(`${sample} is not there: add ${one.name} to the tests by hand.`);
    return;
  }
  const spec = `test/e2e/${names.plural}.spec.ts`;
  files.edit(spec, (text) => withBadRows(text, one));
  if (one.default !== undefined) files.edit(spec, (text) => withDefault(text, one));
  // The bodies are also those of the first rows, which have no row to refer to that refers to one of them.
  if (isReference(one) && leadsTo(files, one.argument, names.plural)) return;
  for (const [body, i] of [
    ['first', 0],
    ['second', 1],
  ] as const)
    files.edit(sample, (text) =>
      withMember(text, valueOf(parse(text), body), one.name, `${one.name}: ${sampleOf(one, i)}`),
    );
  files.edit(sample, (text) => withReference(text, one));
}

/** Above the class: for lists by the reference, and for the check when the row that it refers to is deleted. */
function withIndex(edited: Edited, names: Existing['names'], one: Field): Edited {
  const [key] = indexes(fieldsAlone(names, [one]));
  const entity = edited.state === 'done' ? decoration(parse(edited.text), 'Entity') : undefined;
  if (edited.state !== 'done' || !entity || !key) return edited;
  const decorator = `\n@Index('${key.name}', [${key.properties.map((name) => `'${name}'`).join(', ')}])`;
  return { ...edited, text: inserted(edited.text, entity.end, decorator) };
}

/** The object that a function returns. */
function returnedBy(text: string, name: string): ts.Expression | undefined {
  const made = find(parse(text), ts.isFunctionDeclaration, (node) => node.name?.text === name);
  return made && find(made, ts.isReturnStatement)?.expression;
}

/** In `columnsOf`: the values, and the names in the type. */
function withColumns(text: string, one: Field): Edited {
  const columns = columnsOf(one).map(({ property }) => property);
  const edited = withMember(text, returnedBy(text, 'columnsOf'), columns[0]!, toEntity(one));
  if (edited.state !== 'done') return edited;
  const made = find(parse(edited.text), ts.isFunctionDeclaration, (node) => node.name?.text === 'columnsOf');
  const names = made?.type && ts.isTypeReferenceNode(made.type) ? made.type.typeArguments?.[1] : undefined;
  if (!names) return { state: 'cannot', paste: toEntity(one) };
  const union = columns.map((name) => ` | '${name}'`).join('');
  return { state: 'done', text: edited.text.slice(0, names.end) + union + edited.text.slice(names.end) };
}

/** Among the columns that a row of a join gets when it is put again. */
function withUpdated(text: string, columns: string[]): Edited {
  const put = (to: string): ts.Node | undefined =>
    find(parse(to), ts.isCallExpression, ({ expression }) => expression.getText().endsWith('.orUpdate'))
      ?.arguments[0];
  if (!put(text)) return { state: 'already there' };
  return columns.reduce<Edited>(
    (edited, column) => {
      const to = edited.state === 'done' ? edited.text : text;
      const list = put(to);
      return withElement(to, list && ts.isArrayLiteralExpression(list) ? list : undefined, `'${column}'`);
    },
    { state: 'already there' },
  );
}

/** What a sample needs to refer to a row of another feature. */
function withReference(text: string, one: Field): Edited {
  if (!isReference(one)) return { state: 'already there' };
  const used = text.replace('_api: DocumentedApi', 'api: DocumentedApi').replace('_as: string', 'as: string');
  if (one.argument !== 'users') {
    const maker = `any${namesOf(one.argument).pascal}`;
    return { state: 'done', text: withImport(used, [maker], `./${one.argument}.sample.js`) };
  }
  const hasMe = find(parse(used), ts.isFunctionDeclaration, (node) => node.name?.text === 'me');
  return { state: 'done', text: hasMe ? used : used + ME };
}

/** In the table of bodies that are refused. */
function withBadRows(text: string, one: Field): Edited {
  const add = (to: string, row: string): Edited =>
    withElement(
      to,
      find(parse(to), ts.isArrayLiteralExpression, ({ elements }) =>
        elements.some((element) => element.getText() === "['unknown', 1]"),
      ),
      row,
    );
  const edited = add(text, `['${one.name}', ${one.kind.bad}]`);
  if (edited.state !== 'done' || !isReference(one) || one.argument === 'users') return edited;
  const both = add(edited.text, `['${one.name}', NOBODY]`);
  if (both.state !== 'done' || both.text.includes('value === NOBODY')) return both;
  const code = `{ code: 'validation-failed' }`;
  return {
    state: 'done',
    text: both.text.replace(code, `{ code: value === NOBODY ? 'unknown-reference' : 'validation-failed' }`),
  };
}

/** In the table of defaults, or in a new one. */
function withDefault(text: string, one: Field): Edited {
  const about = find(
    parse(text),
    ts.isCallExpression,
    (node) => node.arguments[0]?.getText() === `'${BY_DEFAULT}'`,
  );
  if (about) return withElement(text, find(about, ts.isArrayLiteralExpression), defaultRow(one));
  const at = text.indexOf('\n  it.each<[string, unknown]>');
  return at < 0
    ? { state: 'cannot', paste: defaultsTest([one]) }
    : { state: 'done', text: inserted(text, at, defaultsTest([one])) };
}

/** Classes of fields that are objects, unless another field has brought them. */
function classesOf(files: Files, { folder, names }: Existing, fields: Field[]): Record<string, string> {
  const all = classes(fieldsAlone(names, fields), folder);
  return Object.fromEntries(
    Object.entries(all).filter(([path]) => !files.has(path) || !path.endsWith('-money.dto.ts')),
  );
}

/** PostgreSQL reports `0.50` of a decimal, and `'7'` of one without a fraction; TypeORM compares the texts, and quotes all but functions. */
function initialOf({ kindName, default: initial }: Field): string | undefined {
  return kindName === 'decimal' && initial?.match(/^'\d+\.\d+'$/) ? `() => ${initial}` : initial;
}

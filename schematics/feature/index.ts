import type { Rule } from '@angular-devkit/schematics';
import { withModule } from '../lib/edit.ts';
import { existingFeature } from '../lib/existing.ts';
import { GeneratorFailure } from '../lib/failure.ts';
import { fieldsOf, type Field } from '../lib/fields.ts';
import { generator, type Files } from '../lib/generator.ts';
import { namesOf, type Names } from '../lib/names.ts';
import { documentReferences, hasSlugs, withAncestors } from '../lib/references.ts';
import { joinOf } from '../join/join.ts';
import { filesOfJoin } from '../join/source.ts';
import { findEvent, payloadOf } from '../processor/handler.ts';
import { handle } from '../processor/index.ts';
import { inTheWay } from './conflicts.ts';
import { everydayWords, noteEveryday } from './everyday.ts';
import { PUBLISHED, type Access, type Consumed, type Feature } from './feature.ts';
import { deletionsOf, namesBySample, PATH, samplesOf } from './others.ts';
import { plainSourceOf, refuseRoutes } from './plain.ts';
import { plainTestsOf } from './plain-tests.ts';
import { sourceOf } from './source.ts';
import { isOwnReference, isReference } from './table.ts';
import { testsOf } from './tests.ts';

interface Options {
  name: string;
  fields?: string;
  singular?: string;
  owner?: boolean;
  access?: Exclude<Access, 'owner'>;
  join?: string;
  belongsTo?: string;
  key?: string;
  path?: string;
  page?: 'keyset' | 'offset';
  events?: boolean;
  processor?: boolean;
  consumes?: string;
  idempotent?: boolean;
  cached?: boolean;
  http?: boolean;
  timestamp?: number;
}

const MODULES = 'src/product.modules.ts';

/** `nest g feature`, `npm run g -- feature`: writes a feature, or nothing when anything is in the way. */
export function feature(options: Options): Rule {
  return generator((files) => {
    const join = options.join === undefined ? undefined : joinOf(files, options);
    const asked = join ?? featureOf(files, options);
    const own = join ? filesOfJoin(files, join) : filesOf(asked, options.http);
    const everyday = everydayWords(files.tree, asked.names);
    const conflicts = [
      ...inTheWay(files.tree, asked, own),
      ...everyday.taken.map((word) => `${word} as a thing of the platform`),
    ];
    if (conflicts.length > 0)
      throw new GeneratorFailure(`Already there: ${conflicts.join(', ')}. Nothing was written.`);
    files.create(own);
    const { pascalPlural, plural } = asked.names;
    const module = { name: `${pascalPlural}Module`, from: `./modules/${plural}/index.js` };
    files.edit(MODULES, (text) => withModule(text, module));
    if (asked.consumes) handle(files, plural, asked.consumes.event);
    noteEveryday(files, everyday);
    for (const { argument } of asked.fields.filter(isReference)) documentReferences(files, argument);
  });
}

function filesOf(asked: Feature, http = true): Record<string, string> {
  return http
    ? { ...sourceOf(asked), ...testsOf(asked) }
    : { ...plainSourceOf(asked), ...plainTestsOf(asked) };
}

/** @throws GeneratorFailure for what cannot be made */
function featureOf(files: Files, options: Options): Feature {
  const { owner = false, path, idempotent = false, cached = false, timestamp = Date.now() } = options;
  const names = namesOf(options.name, options.singular);
  const access = options.access ?? (owner ? 'owner' : 'caller');
  const fields = withPublished(access, owner, fieldsOf(options.fields ?? ''));
  if (fields.every(({ immutable }) => immutable))
    throw new GeneratorFailure('At least one field has to change: not all can be immutable.');
  if (path !== undefined && !PATH.test(path))
    throw new GeneratorFailure(
      `"${path}" is no path: write what comes after /v1/, such as billing/invoices.`,
    );
  const first = fields.find((field) => isOwnReference(names, field) && !field.optional);
  if (first)
    throw new GeneratorFailure(
      `${first.name} has to be optional: the first ${names.words} has no other one to refer to.`,
    );
  const only = fields.find((field) => isOwnReference(names, field) && field.unique);
  if (only)
    throw new GeneratorFailure(
      `${only.name} cannot be unique, as the tests would need rows that refer to one another: add the constraint by hand.`,
    );
  const others = [
    ...new Set([
      ...fields
        .filter((field) => isReference(field) && !isOwnReference(names, field))
        .map(({ argument }) => argument),
      ...(options.belongsTo ? [options.belongsTo] : []),
    ]),
  ];
  if (options.belongsTo === 'users')
    throw new GeneratorFailure('For rows that belong to a user there is --owner.');
  if (options.belongsTo && hasSlugs(files, options.belongsTo))
    throw new GeneratorFailure(
      `--belongs-to needs ids in the paths of ${options.belongsTo}, which have slugs: refer to one with a field of the kind ref(${options.belongsTo}).`,
    );
  if (cached && (options.belongsTo || (options.key ?? 'uuid') !== 'uuid'))
    throw new GeneratorFailure(
      options.belongsTo
        ? 'Not --cached with --belongs-to: rows go with those that they belong to, and their copies would stay.'
        : 'Not --cached with --key slug: copies are found by id.',
    );
  const http = options.http ?? true;
  if (!http) refuseRoutes({ ...options }, fields);
  const samples = samplesOf(files.tree, others, http);
  const parent = options.belongsTo ? parentOf(files, options.belongsTo, samples) : undefined;
  if (parent && fields.some(({ name }) => name === `${parent.camel}Id`))
    throw new GeneratorFailure(`With --belongs-to every row has ${parent.camel}Id already.`);
  // A row goes with its parent, even if it also refers to that.
  const above = options.belongsTo ? withAncestors(files, options.belongsTo) : [];
  return {
    names,
    fields,
    titled: titledBy(fields, options.key),
    owner,
    access,
    parent,
    path: path ?? names.plural,
    page: options.page ?? 'keyset',
    // An event needs a handler: a process whose events have none refuses to start.
    events: (options.events ?? false) || (options.processor ?? false),
    consumes: options.consumes === undefined ? undefined : consumed(files, options.consumes),
    idempotent,
    cached,
    samples,
    deletions: deletionsOf(
      files,
      others.filter((other) => !above.includes(other)),
      samples,
    ),
    timestamp,
  };
}

/** @throws GeneratorFailure for what no slug can be made of */
function titledBy(fields: Field[], key = 'uuid'): Field | undefined {
  if (key === 'uuid') return undefined;
  const [, name] = /^slug:(\w+)$/.exec(key) ?? [];
  if (name === undefined)
    throw new GeneratorFailure(
      `"${key}" is no key: there are uuid and slug:title, with the name of a field.`,
    );
  const field = fields.find((one) => one.name === name);
  if (field?.kindName !== 'string' || field.array || field.optional)
    throw new GeneratorFailure(`--key ${key}: give the field ${name}:string, which is not optional.`);
  if (fields.some((one) => one.name === 'slug'))
    throw new GeneratorFailure(
      'With --key slug every row has slug already: choose another name for the field.',
    );
  return field;
}

/** @throws GeneratorFailure where rows cannot be published by somebody */
function withPublished(access: Access, owner: boolean, fields: Field[]): Field[] {
  if (access !== 'optional') return fields;
  if (!owner)
    throw new GeneratorFailure('Give --owner, too: with --access optional the owner sees more than others.');
  const there = fields.find(({ name }) => name === 'published');
  if (there && (there.kindName !== 'boolean' || there.optional || there.immutable || there.indexed))
    throw new GeneratorFailure(
      `With --access optional the field is ${PUBLISHED}, or without the default; lists are limited by it.`,
    );
  return there ? fields : [...fields, ...fieldsOf(PUBLISHED)];
}

function consumed(files: Files, event: string): Consumed {
  const declared = findEvent(files, event);
  const payload = payloadOf(files, declared);
  if (payload === undefined)
    throw new GeneratorFailure(
      `The tests cannot make up a payload of ${event}: leave --consumes out, then npm run g -- processor.`,
    );
  return { ...declared, payload };
}

/** Where its sample does not tell, its entity does. */
function parentOf(files: Files, plural: string, samples: Record<string, string>): Names {
  return samples[plural] ? namesBySample(plural, samples) : existingFeature(files, plural).names;
}

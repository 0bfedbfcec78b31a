import type { Rule, Tree } from '@angular-devkit/schematics';
import { withModule } from '../lib/edit.ts';
import { GeneratorFailure } from '../lib/failure.ts';
import { fieldsOf } from '../lib/fields.ts';
import { generator } from '../lib/generator.ts';
import { kebab, namesOf, type Names } from '../lib/names.ts';
import { inTheWay } from './conflicts.ts';
import { everydayWords, noteEveryday } from './everyday.ts';
import type { Access, Feature } from './feature.ts';
import { sourceOf } from './source.ts';
import { isOwnReference, isReference } from './table.ts';
import { testsOf } from './tests.ts';

interface Options {
  name: string;
  fields: string;
  singular?: string;
  owner?: boolean;
  access?: Exclude<Access, 'owner'>;
  belongsTo?: string;
  path?: string;
  events?: boolean;
  processor?: boolean;
  idempotent?: boolean;
  timestamp?: number;
}

const MODULES = 'src/product.modules.ts';
const PATH = /^[a-z][a-z0-9]*(-[a-z0-9]+)*(\/[a-z][a-z0-9]*(-[a-z0-9]+)*)*$/;

/** `nest g feature`, `npm run g -- feature`: writes a feature, or nothing when anything is in the way. */
export function feature(options: Options): Rule {
  return generator((files) => {
    const asked = featureOf(files.tree, options);
    const own = { ...sourceOf(asked), ...testsOf(asked) };
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
    const paste = noteEveryday(files.tree, everyday);
    if (paste) files.left.push(paste);
  });
}

/** @throws GeneratorFailure for what cannot be made */
function featureOf(tree: Tree, options: Options): Feature {
  const { owner = false, path, idempotent = false, timestamp = Date.now() } = options;
  const names = namesOf(options.name, options.singular);
  const fields = fieldsOf(options.fields);
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
  const samples = samplesOf(tree, others);
  const parent = options.belongsTo ? parentOf(options.belongsTo, samples) : undefined;
  if (parent && fields.some(({ name }) => name === `${parent.camel}Id`))
    throw new GeneratorFailure(`With --belongs-to every row has ${parent.camel}Id already.`);
  return {
    names,
    fields,
    owner,
    access: options.access ?? (owner ? 'owner' : 'caller'),
    parent,
    path: path ?? names.plural,
    // An event needs a handler: a process whose events have none refuses to start.
    events: (options.events ?? false) || (options.processor ?? false),
    idempotent,
    samples,
    timestamp,
  };
}

/** The functions of the specs that make a row of other features. */
function samplesOf(tree: Tree, others: string[]): Record<string, string> {
  const missing = others.filter((other) => tree.getDir(`src/modules/${other}`).subfiles.length === 0);
  if (missing.length > 0)
    throw new GeneratorFailure(`There is no feature ${missing.join(', ')} to refer to.`);
  return Object.fromEntries(
    others
      .filter((other) => other !== 'users')
      .map((other) => {
        const path = `test/e2e/${other}.sample.ts`;
        const [, name] = tree.exists(path)
          ? (/export async function (any[A-Z]\w*)\(/.exec(tree.readText(path)) ?? [])
          : [];
        if (name === undefined)
          throw new GeneratorFailure(
            `The tests need a row to refer to: write ${path}, as generated features have it, first.`,
          );
        return [other, name];
      }),
  );
}

function parentOf(plural: string, samples: Record<string, string>): Names {
  return namesOf(plural, kebab(samples[plural]!.slice('any'.length)));
}

import type { Rule, Tree } from '@angular-devkit/schematics';
import { withModule } from '../lib/edit.ts';
import { GeneratorFailure } from '../lib/failure.ts';
import { fieldsOf } from '../lib/fields.ts';
import { generator } from '../lib/generator.ts';
import { namesOf } from '../lib/names.ts';
import type { Feature } from './feature.ts';
import { sourceOf } from './source.ts';
import { isReference } from './table.ts';
import { testsOf } from './tests.ts';

interface Options {
  name: string;
  fields: string;
  singular?: string;
  owner: boolean;
  timestamp?: number;
}

const MODULES = 'src/product.modules.ts';

/** `nest g feature`, `npm run g -- feature`: writes a feature, or nothing when anything is in the way. */
export function feature({ name, fields, singular, owner, timestamp = Date.now() }: Options): Rule {
  return generator((files) => {
    const asked: Feature = { names: namesOf(name, singular), fields: fieldsOf(fields), owner, timestamp };
    if (asked.fields.every(({ immutable }) => immutable))
      throw new GeneratorFailure('At least one field has to change: not all can be immutable.');
    const own = { ...sourceOf(asked), ...testsOf(asked) };
    requireRoom(files.tree, asked, Object.keys(own));
    files.create(own);
    const { pascalPlural, plural } = asked.names;
    const module = { name: `${pascalPlural}Module`, from: `./modules/${plural}/index.js` };
    files.edit(MODULES, (text) => withModule(text, module));
  });
}

/** Everything that is in the way is listed before anything is written. */
function requireRoom(tree: Tree, { names, fields }: Feature, paths: string[]): void {
  const migrations = tree
    .getDir('migrations')
    .subfiles.filter((file) => file.endsWith(`-${names.plural}.ts`));
  const there = [
    ...paths.filter((path) => tree.exists(path)),
    ...migrations.map((file) => `migrations/${file}`),
    ...(tree.getDir(`src/modules/${names.plural}`).subfiles.length > 0
      ? [`src/modules/${names.plural}`]
      : []),
  ];
  if (there.length > 0)
    throw new GeneratorFailure(`Already there: ${[...new Set(there)].join(', ')}. Nothing was written.`);
  const missing = fields
    .filter(isReference)
    .filter(({ argument }) => !tree.getDir(`src/modules/${argument}`).subfiles.length);
  if (missing.length > 0)
    throw new GeneratorFailure(
      `There is no feature ${missing.map(({ argument }) => argument).join(', ')} to refer to.`,
    );
  const unsampled = fields
    .filter((field) => isReference(field) && field.argument !== 'users')
    .filter(({ argument }) => !tree.exists(`test/e2e/${argument}.sample.ts`));
  if (unsampled.length > 0)
    throw new GeneratorFailure(
      `The tests need a row to refer to: write test/e2e/${unsampled[0]!.argument}.sample.ts, as generated features have it, first.`,
    );
}

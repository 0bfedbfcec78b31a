import type { Rule, Tree } from '@angular-devkit/schematics';
import { isRemovable } from '../../scripts/lib/code-texts.ts';
import { withoutMarked } from '../../scripts/lib/fork/marks.ts';
import { isKeptAsItIs } from '../../scripts/lib/fork/texts.ts';
import { unsaved } from '../../scripts/lib/generated.ts';
import { planRemoval, RemovalFailure, type Removal } from '../../scripts/lib/remove-features.ts';
import { forgetEveryday } from '../feature/everyday.ts';
import { GeneratorFailure } from '../lib/failure.ts';
import { generator } from '../lib/generator.ts';
import { pascal } from '../lib/names.ts';
import { sqlName } from '../lib/sql.ts';

interface Options {
  name: string;
  deployed?: boolean;
  force?: boolean;
  timestamp?: number;
}

/** What git does not have, and what is not text. */
const NOT_OURS = /^(node_modules|dist.*|coverage|reports|\.git|\.local)$/;
const TEXT = /\.(ts|mjs|md|ya?ml|json|tpl|sh|conf)$|(^|\/)[^.]+$/;

/** `npm run g -- remove-feature invoices`: the way back of `feature`, and what a fork does with the examples that it does not keep. */
export function removeFeature({
  name,
  deployed = false,
  force = false,
  timestamp = Date.now(),
}: Options): Rule {
  return generator((files) => {
    const texts = textsOf(files.tree);
    const removal = planned(texts, name.split(','), deployed);
    const lost = force
      ? []
      : unsaved(
          process.cwd(),
          removal.files.map(({ path }) => path),
        );
    if (lost.length > 0)
      throw new GeneratorFailure(
        `Git does not have ${lost.join(', ')} as ${lost.length > 1 ? 'they are' : 'it is'}: commit first, or give --force. Nothing was changed.`,
      );
    for (const { path, reason } of removal.files)
      files.delete(path, path.startsWith('src/') ? undefined : reason);
    for (const [path, text] of removal.edits) files.write(path, text);
    for (const path of texts.keys())
      if (files.has(path) && !isKeptAsItIs(path))
        files.write(path, withoutMarked(path, files.read(path), new Set(removal.features)));
    for (const feature of removal.features) forgetEveryday(files, [feature, ...entitiesOf(removal, feature)]);
    if (deployed && removal.tables.length > 0) files.create(dropping(removal, texts, timestamp));
  });
}

/** The names of its entities, as their files have them. */
function entitiesOf({ files }: Removal, feature: string): string[] {
  return files.flatMap(({ path }) => {
    const [folder, file = ''] = path.split(`src/modules/${feature}/`);
    return folder === '' && file.endsWith('.entity.ts') ? file.replace('.entity.ts', '') : [];
  });
}

function planned(texts: ReadonlyMap<string, string>, features: string[], deployed: boolean): Removal {
  try {
    const code = [...texts].filter(([path]) => isRemovable(path));
    return planRemoval(new Map(code), features, { deployed });
  } catch (error) {
    if (!(error instanceof RemovalFailure)) throw error;
    throw new GeneratorFailure(`${error.message} Nothing was changed.`);
  }
}

/** Every text of the repository. */
function textsOf(tree: Tree): Map<string, string> {
  const texts = new Map<string, string>();
  const add = (path: string): void => {
    const text = TEXT.test(path) ? tree.read(path)?.toString('utf8') : undefined;
    if (text !== undefined && !text.includes('\0')) texts.set(path.replace(/^\//, ''), text);
  };
  for (const file of tree.root.subfiles) add(`/${file}`);
  for (const folder of tree.root.subdirs.filter((one) => !NOT_OURS.test(one)))
    tree.getDir(folder).visit((path) => add(path));
  return texts;
}

/** Reverting it makes the tables again, empty, by the migrations that had made them. */
function dropping(
  { features, tables, migrations }: Removal,
  texts: ReadonlyMap<string, string>,
  timestamp: number,
): Record<string, string> {
  const made = migrations.map((path) => ({
    name: /export class (\w+)/.exec(texts.get(path) ?? '')![1]!,
    from: path.replace('migrations/', './'),
  }));
  // An index is built without a transaction, so that nobody waits for it. Then both ways may have to run again after half of the work.
  const outside = migrations.some((path) => texts.get(path)?.includes('transaction = false'));
  const dropTables = `await queryRunner.query('DROP TABLE ${outside ? 'IF EXISTS ' : ''}${tables.map(sqlName).join(', ')}');`;
  const name = `drop-${features.join('-')}`;
  return {
    [`migrations/${timestamp}-${name}.ts`]: `import type { MigrationInterface, QueryRunner } from 'typeorm';
${made.map((one) => `import { ${one.name} } from '${one.from}';\n`).join('')}
// migrations:check allows ban-drop-table: deploy it a release after the last one that uses ${tables.length > 1 ? 'these tables' : 'this table'}
export class ${pascal(name)}${timestamp} implements MigrationInterface {
${outside ? '  transaction = false;\n\n' : ''}  async up(queryRunner: QueryRunner): Promise<void> {
    ${dropTables}
  }

  /** Makes them again, empty. */
  async down(queryRunner: QueryRunner): Promise<void> {
${outside ? `    ${dropTables}\n` : ''}${made.map((one) => `    await new ${one.name}().up(queryRunner);\n`).join('')}  }
}
`,
  };
}

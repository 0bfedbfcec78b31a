import { join } from 'node:path';
import { Tree } from '@angular-devkit/schematics';
import { SchematicTestRunner, UnitTestTree } from '@angular-devkit/schematics/testing/index.js';

/** A repository in memory, as generators see one; for their specs. */
const FILES: Record<string, string> = {
  'src/product.modules.ts': `import { UsersModule } from './modules/users/index.js';

// In the order of their routes.
export const PRODUCT: Type[] = [UsersModule];
`,
  'src/modules/users/index.ts': `export { UsersModule } from './users.module.js';\n`,
  'src/modules/users/users.module.ts': `import { Module } from '@nestjs/common';

@Module({})
export class UsersModule {}
`,
};

const runner = new SchematicTestRunner('own', join(import.meta.dirname, 'collection.json'));

export function checkout(files: Record<string, string> = {}): UnitTestTree {
  const tree = new UnitTestTree(Tree.empty());
  for (const [path, text] of Object.entries({ ...FILES, ...files })) tree.create(path, text);
  return tree;
}

/**
 * Runs a generator on a tree, and leaves that as it was. `force`, because git knows nothing of a tree in memory: a fork may have files
 * of the same names.
 */
export function generated(kind: string, options: object, tree = checkout()): Promise<UnitTestTree> {
  const all = kind === 'remove-feature' ? { force: true, ...options } : options;
  return runner.runSchematic(kind, all, tree.branch());
}

/** The same, with what the generator tells the person who runs it. */
export async function reported(
  kind: string,
  options: object,
  from: UnitTestTree,
): Promise<{ tree: UnitTestTree; said: string[] }> {
  const said: string[] = [];
  const listening = runner.logger.subscribe(({ message }) => said.push(message));
  const tree = await generated(kind, options, from);
  listening.unsubscribe();
  return { tree, said };
}

/** With the feature `invoices`. */
export function withInvoices(): Promise<UnitTestTree> {
  return generated('feature', { name: 'invoices', fields: 'number:string', timestamp: 17 });
}

/** Every file with its text. */
export function textsOf(tree: UnitTestTree): Record<string, string> {
  return Object.fromEntries(tree.files.toSorted().map((path) => [path, tree.readText(path)]));
}

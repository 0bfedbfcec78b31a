import type { Rule } from '@angular-devkit/schematics';
import type { SchemaDifference } from '../../scripts/lib/schema-difference.ts';
import { GeneratorFailure } from '../lib/failure.ts';
import { generator } from '../lib/generator.ts';
import { pascal, requireName } from '../lib/names.ts';
import { migrationText, tidy, warningsOf } from './statements.ts';

interface Options {
  name: string;
  empty?: boolean;
  timestamp?: number;
}

const NONE: SchemaDifference = { up: [], down: [], reserved: [] };

/** `npm run g -- migration add-invoice-notes`: from the difference between the entities and a database with all migrations. */
export function migration({ name, empty = false, timestamp = Date.now() }: Options): Rule {
  return generator(async (files) => {
    requireName(name);
    const there = files.list('migrations').find((file) => file.endsWith(`-${name}.ts`));
    if (there) throw new GeneratorFailure(`Already there: migrations/${there}. Choose another name.`);
    const { up, down, reserved } = empty ? NONE : await difference();
    if (!empty && up.length === 0)
      throw new GeneratorFailure(
        'The entities say what the migrations make: change an entity first, or give --empty for other statements.',
      );
    const words = new Set(reserved);
    const statements = up.map((sql) => tidy(sql, words));
    const undoing = down.map((sql) => tidy(sql, words));
    files.create({
      [`migrations/${timestamp}-${name}.ts`]: migrationText(
        `${pascal(name)}${timestamp}`,
        statements,
        undoing,
      ),
    });
    files.left.push(...warningsOf(statements));
  });
}

/** Loaded when it is needed: it builds the product and starts a server. */
async function difference(): Promise<SchemaDifference> {
  const { schemaDifference } = await import('../../scripts/lib/schema-difference.ts');
  const { BuildError } = await import('../../scripts/lib/build.ts');
  try {
    return await schemaDifference();
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    throw new GeneratorFailure(
      `The code does not compile, so its entities cannot be read:\n${error.message}`,
    );
  }
}

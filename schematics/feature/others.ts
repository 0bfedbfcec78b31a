import type { Tree } from '@angular-devkit/schematics';
import { GeneratorFailure } from '../lib/failure.ts';
import type { Files } from '../lib/generator.ts';
import { kebab, namesOf, type Names } from '../lib/names.ts';
import { deletionOf } from '../lib/references.ts';
import type { Deletion } from './feature.ts';

/** A path below `/v1`, or below that of another feature. */
export const PATH = /^[a-z][a-z0-9]*(-[a-z0-9]+)*(\/[a-z][a-z0-9]*(-[a-z0-9]+)*)*$/;

/** The functions of the specs that make a row of other features by their routes. */
export function samplesOf(tree: Tree, others: string[], http = true): Record<string, string> {
  const missing = others.filter((other) => tree.getDir(`src/modules/${other}`).subfiles.length === 0);
  if (missing.length > 0)
    throw new GeneratorFailure(`There is no feature ${missing.join(', ')} to refer to.`);
  const join = others.find((other) => hasTwoKeys(tree, other));
  if (join) throw new GeneratorFailure(`${join} has no id of its own to refer to.`);
  if (!http) return {};
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

function hasTwoKeys(tree: Tree, feature: string): boolean {
  const folder = tree.getDir(`src/modules/${feature}`);
  const entities = folder.subfiles.filter((file) => file.endsWith('.entity.ts'));
  return (
    entities.length === 1 &&
    tree.readText(`${folder.path}/${entities[0]}`).split('@PrimaryColumn(').length > 2
  );
}

/** Where the rows of other features are deleted that the tests make. */
export function deletionsOf(
  files: Files,
  others: string[],
  samples: Record<string, string>,
): Record<string, Deletion> {
  return Object.fromEntries(
    others
      .filter((other) => samples[other])
      .flatMap((other) => {
        const found = deletionOf(files, other, namesBySample(other, samples).camel);
        return found === undefined ? [] : [[other, found]];
      }),
  );
}

/** The names of another feature, whose singular is in that of its sample. */
export function namesBySample(plural: string, samples: Record<string, string>): Names {
  return namesOf(plural, samples[plural] && kebab(samples[plural].slice('any'.length)));
}

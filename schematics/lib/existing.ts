import ts from 'typescript';
import { decoration, find, parse } from './edit.ts';
import { GeneratorFailure } from './failure.ts';
import type { Files } from './generator.ts';
import { namesOf, type Names } from './names.ts';

/** @throws GeneratorFailure with the features that there are */
export function requireFeature(files: Files, plural: string): string {
  const folder = `src/modules/${plural}`;
  if (files.has(`${folder}/${plural}.module.ts`)) return folder;
  const there = files.tree
    .getDir('src/modules')
    .subdirs.filter((name) => files.has(`src/modules/${name}/index.ts`));
  throw new GeneratorFailure(`There is no feature "${plural}". There are: ${there.join(', ')}.`);
}

/** A feature with one main entity, as its files show it. */
export interface Existing {
  folder: string;
  names: Names;
  entity: string;
  /** Names of the entity's properties. */
  properties: string[];
}

/** @throws GeneratorFailure for a feature that is not there, or none of whose entities is named like it */
export function existingFeature(files: Files, plural: string): Existing {
  const folder = requireFeature(files, plural);
  const entities = files.list(folder).filter((file) => file.endsWith('.entity.ts'));
  // The only one tells an irregular singular, too.
  const usual = (): string => `${namesOf(plural).singular}.entity.ts`;
  const file = entities.length === 1 ? entities[0] : entities.find((one) => one === usual());
  if (!file)
    throw new GeneratorFailure(
      `${folder} has ${entities.length === 0 ? 'no entity' : `the entities ${entities.join(', ')}`}; expected ${usual()}.`,
    );
  const entity = `${folder}/${file}`;
  const source = parse(files.read(entity));
  const table = decoration(source, 'Entity')?.arguments[0];
  const members = find(source, ts.isClassDeclaration)?.members ?? [];
  return {
    folder,
    entity,
    names: {
      ...namesOf(plural, file.replace('.entity.ts', '')),
      ...(table && ts.isStringLiteral(table) && { table: table.text }),
    },
    properties: members.flatMap((member) => member.name?.getText() ?? []),
  };
}

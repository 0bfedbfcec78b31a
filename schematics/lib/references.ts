import ts from 'typescript';
import type { Deletion } from '../feature/feature.ts';
import { decoration, find, inserted, parse, type Edited } from './edit.ts';
import type { Files } from './generator.ts';

/**
 * Documents that a row of a feature cannot be deleted while another feature refers to it, wherever its deletion begins: there, or at the rows
 * above it, with which it goes.
 */
export function documentReferences(files: Files, feature: string): void {
  for (const name of withAncestors(files, feature)) {
    const controller = controllerOf(name);
    if (files.has(controller) && deletion(files.read(controller)))
      files.edit(controller, withStillReferenced);
  }
}

/** A feature, that with whose rows its own rows go, and so on. */
export function withAncestors(files: Files, feature: string, seen: string[] = []): string[] {
  if (seen.includes(feature)) return seen;
  return parentsOf(files, feature).reduce(
    (all, table) => withAncestors(files, table.replaceAll('_', '-'), all),
    [...seen, feature],
  );
}

/**
 * Where single rows of a feature are deleted; undefined where they are not.
 * @param one the name of a row, in camelCase
 */
export function deletionOf(files: Files, feature: string, one: string): Deletion | undefined {
  const controller = controllerOf(feature);
  if (!files.has(controller)) return undefined;
  const source = parse(files.read(controller));
  const route = decoration(source, 'Controller')?.arguments[0];
  if (!deletion(source.text) || !route || !ts.isStringLiteral(route)) return undefined;
  return {
    list: route.text.includes(':') ? `await ${one}Path(api, ada)` : `'/${route.text}'`,
    ...(hasSlugs(files, feature) && { slugBy: `${one}Slug` }),
  };
}

/** The tables with whose rows those of a feature go. */
function parentsOf(files: Files, feature: string): string[] {
  const folder = `src/modules/${feature}`;
  return files
    .list(folder)
    .filter((file) => file.endsWith('.entity.ts'))
    .flatMap((file) => [
      ...files.read(`${folder}/${file}`).matchAll(/@ForeignKey\('(\w+)', \{[^}]*'CASCADE'/g),
    ])
    .map(([, table]) => table!)
    .filter((table) => table !== 'users');
}

function controllerOf(feature: string): string {
  return `src/modules/${feature}/${feature}.controller.ts`;
}

/** Whether the sample of a feature is made from that of another one. */
export function leadsTo(files: Files, feature: string, other: string): boolean {
  const sample = `test/e2e/${feature}.sample.ts`;
  if (feature === other || !files.has(sample)) return feature === other;
  const imported = [...files.read(sample).matchAll(/from '\.\/([\w-]+)\.sample\.js'/g)];
  return imported.some(([, name]) => leadsTo(files, name!, other));
}

/** Whether paths have slugs and not ids. */
export function hasSlugs(files: Files, feature: string): boolean {
  const controller = controllerOf(feature);
  return files.has(controller) && files.read(controller).includes("@Delete(':slug')");
}

/** The method behind `@Delete(':id')`, or a slug. */
function deletion(text: string): ts.MethodDeclaration | undefined {
  return find(parse(text), ts.isMethodDeclaration, (method) =>
    /^':(id|slug)'$/.test(decoration(method, 'Delete')?.arguments[0]?.getText() ?? ''),
  );
}

function withStillReferenced(text: string): Edited {
  const problems = decoration(deletion(text)!, 'ApiProblems')?.arguments;
  if (!problems) return { state: 'cannot', paste: '@ApiProblems(409)' };
  const all = problems.map((problem) => problem.getText());
  if (all.includes('409')) return { state: 'already there' };
  const next = problems.find((problem) => Number(problem.getText()) > 409);
  const at = next?.getStart() ?? problems.at(-1)?.end ?? problems.pos;
  return { state: 'done', text: inserted(text, at, next ? '409, ' : all.length > 0 ? ', 409' : '409') };
}

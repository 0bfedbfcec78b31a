import type { Tree } from '@angular-devkit/schematics';
import { routeOf, type Feature } from './feature.ts';

/** Everything that is in the way, before anything is written: files, and names that can be there once only. */
export function inTheWay(tree: Tree, feature: Feature, files: Record<string, string>): string[] {
  const { names } = feature;
  const folder = `src/modules/${names.plural}`;
  const migrations = tree
    .getDir('migrations')
    .subfiles.filter((file) => file.endsWith(`-${names.plural}.ts`));
  const there = [
    ...Object.keys(files).filter((path) => tree.exists(path)),
    ...migrations.map((file) => `migrations/${file}`),
    ...(tree.getDir(folder).subfiles.length > 0 ? [folder] : []),
  ];
  return [...new Set([...there, ...(there.length > 0 ? [] : takenNames(tree, feature, files))])];
}

/**
 * Classes (the OpenAPI document and Nest's log know them by their names), tables, routes, operations, queues and problem codes
 * of other features and of the platform.
 */
function takenNames(tree: Tree, feature: Feature, files: Record<string, string>): string[] {
  const { names, events, consumes } = feature;
  const classes = Object.entries(files)
    .filter(([path]) => path.startsWith('src/'))
    .flatMap(([, text]) => [...text.matchAll(/^export class (\w+)/gm)].map(([, name = '']) => name));
  const own = [
    ...classes.map((name) => ({
      what: `the class ${name}`,
      pattern: new RegExp(`^export (abstract )?class ${name}\\b`, 'm'),
    })),
    { what: `the table ${names.table}`, pattern: new RegExp(`@Entity\\('${names.table}'\\)`) },
    { what: `the route ${routeOf(feature)}`, pattern: new RegExp(`@Controller\\('${routeOf(feature)}'\\)`) },
    {
      what: `the operation list${names.pascalPlural}`,
      pattern: new RegExp(
        `operationId: '(list${names.pascalPlural}|(get|create|change|delete)${names.pascal})'`,
      ),
    },
    ...(events || consumes
      ? [
          {
            what: `the queue ${names.plural}`,
            pattern: new RegExp(`(EventProcessor|Processor)\\('${names.plural}'|_QUEUE = '${names.plural}'`),
          },
        ]
      : []),
  ];
  const found: string[] = [];
  tree.getDir('src').visit((path, entry) => {
    if (!path.endsWith('.ts') || path.endsWith('.spec.ts')) return;
    const text = entry?.content.toString('utf8') ?? '';
    for (const { what, pattern } of own) if (pattern.test(text)) found.push(`${what} in ${path.slice(1)}`);
  });
  // The tests of the platform make tables and routes beside those of the product.
  const tested = new RegExp(
    `/v1/${names.plural}\\b|'v1/${names.plural}'|CREATE TABLE (IF NOT EXISTS )?${names.table}\\b`,
  );
  const tests: string[] = [];
  tree.getDir('test').visit((path, entry) => {
    if (!path.endsWith('.ts') || /^\/test\/(architecture|e2e\/[\w-]+\.(spec|sample)\.ts)/.test(path)) return;
    if (tested.test(entry?.content.toString('utf8') ?? '')) tests.push(path.slice(1));
  });
  if (tests.length > 0) found.push(`${names.plural} in tests of the platform, such as ${tests[0]}`);
  return found;
}

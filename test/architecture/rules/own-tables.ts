import ts from 'typescript';
import { lineOf, walk, type Project, type Rule, type SourceFile, type Violation } from '../project.js';

const FEATURE = /^src\/modules\/([^/]+)\//;
/** Statements are written with keywords in capitals; prose is not. */
const WRITTEN = /\b(?:INTO|UPDATE|DELETE\s+FROM|TRUNCATE)\s+(?:ONLY\s+)?"?(\w+)/g;
const READ = /\b(?:FROM|JOIN)\s+(?:ONLY\s+)?"?(\w+)/g;

/** A feature's SQL writes its own tables only, and reads besides them those of features that it imports: arrows of the feature graph. */
export const ownTables: Rule = {
  name: 'own-tables',
  check: (project) => {
    const owners = ownersOf(project);
    const imported = importsOf(project);
    return project.sources.flatMap((source) => {
      const feature = FEATURE.exec(source.path)?.[1];
      if (!feature) return [];
      return textsOf(source).flatMap((text) => {
        const foreign = (pattern: RegExp) =>
          [...text.getText().matchAll(pattern)].flatMap(([, table = '']) => {
            const owner = owners.get(table);
            return owner === undefined || owner === feature ? [] : [{ table, owner }];
          });
        const writes = foreign(WRITTEN);
        const reads = foreign(READ).filter(
          ({ table, owner }) =>
            !imported.get(feature)?.has(owner) && !writes.some((written) => written.table === table),
        );
        const violation = (what: string, remedy: string): Violation => ({
          path: source.path,
          line: lineOf(text),
          what,
          remedy,
        });
        return [
          ...writes.map(({ table, owner }) =>
            violation(
              `writes ${table}, a table of ${owner}`,
              `Call a service of ${owner}, or announce an event`,
            ),
          ),
          ...reads.map(({ table, owner }) =>
            violation(
              `reads ${table}, a table of ${owner}, which ${feature} does not import`,
              `Call a service of ${owner}; only with that dependency may SQL join its tables`,
            ),
          ),
        ];
      });
    });
  },
};

/** Table to feature, by `@Entity('table')` and `@Entity({ name: 'table' })`. */
function ownersOf(project: Project): Map<string, string> {
  const owners = new Map<string, string>();
  for (const { path, ast } of project.sources) {
    const feature = FEATURE.exec(path)?.[1];
    if (!feature) continue;
    walk(ast, (node) => {
      if (!ts.isDecorator(node) || !ts.isCallExpression(node.expression)) return;
      const { expression, arguments: given } = node.expression;
      const table = expression.getText() === 'Entity' && given[0] && /['"](\w+)['"]/.exec(given[0].getText());
      if (table) owners.set(table[1] ?? '', feature);
    });
  }
  return owners;
}

function importsOf(project: Project): Map<string, Set<string>> {
  const imports = new Map<string, Set<string>>();
  for (const source of project.sources) {
    const feature = FEATURE.exec(source.path)?.[1];
    if (!feature) continue;
    const of = imports.get(feature) ?? new Set();
    for (const { target } of source.imports) {
      const other = target && FEATURE.exec(target)?.[1];
      if (other) of.add(other);
    }
    imports.set(feature, of);
  }
  return imports;
}

function textsOf({ ast }: SourceFile): ts.Node[] {
  const texts: ts.Node[] = [];
  walk(ast, (node) => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) texts.push(node);
  });
  return texts;
}

import ts from 'typescript';
import { parse } from '../lib/edit.ts';
import type { Files } from '../lib/generator.ts';
import type { Route } from './routes.ts';

/** The lines of tests that call a route, as `test/e2e/orders.spec.ts:12, 40`. */
export function testsOf(files: Files, feature: string, { verb, path }: Route): string[] {
  const [fixed = ''] = path.split('/:');
  const pattern = new RegExp(`^${path.replaceAll(/:\w+/g, '[^/?]+')}(\\?.*)?$`);
  const found: string[] = [];
  files.tree.getDir('test').visit((file, entry) => {
    const text = file.endsWith('.ts') ? (entry?.content.toString('utf8') ?? '') : '';
    if (!text.includes(fixed)) return;
    // Where a path is no literal, only the feature's own spec is likely to mean this route.
    const likely = new RegExp(`^/test/e2e/${feature}\\b`).test(file);
    const lines = new Set<number>();
    const source = parse(text);
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node) && verbOf(node) === verb) {
        const paths = node.arguments
          .flatMap((one) => literal(one) ?? [])
          .filter((one) => one.startsWith('/'));
        if (paths.some((one) => pattern.test(one)) || (likely && paths.length === 0))
          lines.add(source.getLineAndCharacterOfPosition(node.getStart()).line + 1);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
    if (lines.size > 0) found.push(`${file.slice(1)}:${[...lines].join(', ')}`);
  });
  return found.toSorted();
}

/** `http.get(path)`, or `call('GET', path)`. */
function verbOf({ expression, arguments: given }: ts.CallExpression): string | undefined {
  const named = given.flatMap((one) => literal(one) ?? []).find((one) => /^[A-Z]{3,7}$/.test(one));
  if (named) return named;
  const method = ts.isPropertyAccessExpression(expression) ? expression.name.text : '';
  return /^(get|post|put|patch|delete|head)$/.test(method) ? method.toUpperCase() : undefined;
}

/** A text; what is inserted into it counts as one segment of a path. */
function literal(node: ts.Expression): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map((span) => `x${span.literal.text}`).join('');
}

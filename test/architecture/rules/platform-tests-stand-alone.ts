import ts from 'typescript';
import {
  lineOf,
  roomOf,
  walk,
  type Project,
  type Rule,
  type SourceFile,
  type Violation,
} from '../project.js';

/** Features that every fork keeps. */
const KEPT = new Set(['auth', 'users']);

/** Tests of the example features, and their helpers, whose names are not those of a feature: they go when the features go. */
export const TESTS_OF_EXAMPLES = [
  'test/e2e/bad-input/shop-bodies.spec.ts',
  'test/e2e/openapi-shop.spec.ts',
  'test/e2e/payment-reconciliation.spec.ts',
  'test/e2e/readme/examples.spec.ts',
  'test/e2e/shop.ts',
  'test/e2e/webhooks.spec.ts',
  'test/faults/frozen-payment.spec.ts',
  'test/faults/local-shop.spec.ts',
  'test/faults/object-storage.spec.ts',
  'test/faults/shop.ts',
  'test/nemesis/products/shop/',
  'test/repositories/lists-from-replica.spec.ts',
  'test/verify/cluster/traffic/shop.traffic.ts',
];

/** Tests of one feature are named after it, and its factory: `test/e2e/orders.spec.ts`, `test/factories/orders.ts`. */
const ofFeature = /^test\/(?:e2e|repositories|factories)\/([\w-]+)(?:\.(?:spec|sample))?\.ts$/;

function isTestOfExample(path: string, examples: string[]): boolean {
  const [, feature] = ofFeature.exec(path) ?? [];
  return examples.includes(feature ?? '') || TESTS_OF_EXAMPLES.some((entry) => path.startsWith(entry));
}

/**
 * A fork replaces the example features. What tests the platform has to survive that, so it stands on the ledger (test/specimen).
 */
export const platformTestsStandAlone: Rule = {
  name: 'platform-tests-stand-alone',
  check: (project) => {
    const examples = examplesIn(project);
    // Of a fork that has removed them.
    if (examples.length === 0) return [];
    const routes = new RegExp(`/v1/(?:${examples.join('|')})\\b`);
    return project.files
      .filter(({ path }) => testsThePlatform(path, examples))
      .flatMap((file) => [...importsOfExamples(file, examples), ...routesOfExamples(file, routes)]);
  },
};

function testsThePlatform(path: string, examples: string[]): boolean {
  if (/^src\/(platform|config)\/.*\.spec\.ts$/.test(path)) return true;
  return (
    path.startsWith('test/') && !path.startsWith('test/architecture/') && !isTestOfExample(path, examples)
  );
}

function examplesIn({ files }: Project): string[] {
  const features = files.map(({ path }) => roomOf(path)).filter(({ kind }) => kind === 'feature');
  return [...new Set(features.map(({ name }) => name))].filter((name) => !KEPT.has(name));
}

function importsOfExamples({ path, imports }: SourceFile, examples: string[]): Violation[] {
  return imports.flatMap(({ line, target = '' }) => {
    const { kind, name } = roomOf(target);
    const isExample = (kind === 'feature' && !KEPT.has(name)) || isTestOfExample(target, examples);
    return isExample ? [violation(path, line, `imports ${target}`)] : [];
  });
}

function routesOfExamples({ path, ast }: SourceFile, routes: RegExp): Violation[] {
  const found: Violation[] = [];
  if (!path.startsWith('test/')) return found;
  walk(ast, (node) => {
    if (!ts.isStringLiteralLike(node) && !ts.isTemplateHead(node)) return;
    const [route] = routes.exec(node.text) ?? [];
    if (route) found.push(violation(path, lineOf(node), `calls ${route}`));
  });
  return found;
}

function violation(path: string, line: number, what: string): Violation {
  return {
    path,
    line,
    what: `tests the platform and ${what} of an example feature`,
    remedy: 'Use the ledger in test/specimen, or list the file as a test of the example features',
  };
}

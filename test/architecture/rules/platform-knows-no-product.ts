import ts from 'typescript';
import { roomOf, walk, type Project, type Rule, type SourceFile, type Violation } from '../project.js';

/** Features that every product keeps: the platform may speak of users and of authentication. */
const FOUNDATION = ['auth', 'users'];

/**
 * Words of features that are plain English or TypeScript as well ("in order", "the product", `export`). Of these only the uses are found that
 * can mean the feature alone: plurals, ids and paths.
 */
const EVERYDAY = new Set(['address', 'export', 'order', 'product']);
/** Of these the plural is as common: networks have addresses, modules have exports. */
const EVERYDAY_PLURALS = new Set(['address', 'export']);

interface Word {
  pattern: RegExp;
  /** What it belongs to, for the message. */
  owner: string;
}

/**
 * The platform and the configuration survive every fork, and so does their text: neither code nor comments, nor the specs beside them, may
 * name what a feature brings. The words are those of the tree that is looked at: names of features, entities, tables, settings,
 * dependencies and events, and the product's own name.
 */
export const platformKnowsNoProduct: Rule = {
  name: 'platform-knows-no-product',
  check: (project) => {
    const words = wordsOf(project);
    return project.files
      .filter(({ path }) => ['platform', 'config'].includes(roomOf(path).kind))
      .flatMap((file) => violationsIn(file, words));
  },
};

function violationsIn({ path, ast }: SourceFile, words: Word[]): Violation[] {
  return ast.text.split('\n').flatMap((text, index) => {
    for (const { pattern, owner } of words) {
      const [found] = pattern.exec(text) ?? [];
      if (found !== undefined) {
        return {
          path,
          line: index + 1,
          what: `says "${found}", a word of ${owner}`,
          remedy:
            'Say it in the words of the platform, and let the feature register what is its own; plain English goes into EVERYDAY',
        };
      }
    }
    return [];
  });
}

function wordsOf({ sources }: Project): Word[] {
  const found = new Map<string, Word>();
  const add = (pattern: string, owner: string, flags = 'i') =>
    found.set(pattern, { pattern: new RegExp(pattern, flags), owner });
  for (const { path, ast } of sources) {
    const { kind, name } = roomOf(path);
    if (path === 'src/product.ts') addIdentity(ast, (text) => add(`\\b${text}`, 'the product'));
    if (kind !== 'feature' || FOUNDATION.includes(name)) continue;
    const owner = `the feature "${name}"`;
    for (const pattern of patternsOf(name)) add(pattern, owner);
    for (const text of declaredIn(ast)) {
      if (/^[a-z]+$/i.test(text)) for (const pattern of patternsOf(text.toLowerCase())) add(pattern, owner);
      else add(`\\b${text.replaceAll('.', '\\.')}\\b`, owner, '');
    }
  }
  return [...found.values()];
}

/** One English word, alone and as a part of names: `payment`, `Payments`, `paymentId`, `PAYMENT_URL`. */
function patternsOf(name: string): string[] {
  const one = name
    .replace(/ies$/, 'y')
    .replace(/(ss|x|ch|sh)es$/, '$1')
    .replace(/([^s])s$/, '$1');
  if (!EVERYDAY.has(one)) return [one];
  return [
    ...(EVERYDAY_PLURALS.has(one) ? [] : [`(?<![a-z])${one}s`]),
    `(?<![a-z])${one}(?:Id|_id|-id)`,
    ...(name === one ? [] : [`/${name}(?![\\w.])`]),
  ];
}

/** What a feature declares: entities and their tables, settings, dependencies, events. */
function declaredIn(ast: ts.SourceFile): string[] {
  const names: string[] = [];
  walk(ast, (node) => {
    if (!ts.isCallExpression(node)) return;
    const callee = node.expression.getText();
    const [first] = node.arguments;
    const text = first && ts.isStringLiteral(first) ? first.text : undefined;
    if (callee === 'Entity' && ts.isDecorator(node.parent) && ts.isClassDeclaration(node.parent.parent)) {
      names.push(...[node.parent.parent.name?.text, text].filter((name) => name !== undefined));
    } else if (text && (['Setting', 'defineEvent'].includes(callee) || callee.endsWith('olicies.define'))) {
      names.push(text);
    }
  });
  return names;
}

/** The name and the title of the product. */
function addIdentity(ast: ts.SourceFile, add: (text: string) => void): void {
  walk(ast, (node) => {
    if (!ts.isPropertyAssignment(node) || !ts.isStringLiteral(node.initializer)) return;
    if (['name', 'title'].includes(node.name.getText())) add(node.initializer.text.toLowerCase());
  });
}

import type { Tree } from '@angular-devkit/schematics';
import ts from 'typescript';
import type { Names } from '../lib/names.ts';

/** The rule that keeps the words of features out of the platform, and its lists of words that are plain English as well. */
const RULE = 'test/architecture/rules/platform-knows-no-product.ts';

/** What the platform says already is no word that it has from a new feature: such as "line", or "tag". */
interface EverydayWords {
  singulars: string[];
  plurals: string[];
  /** Used as the name of a thing with an id or a path: two meanings of one name would be a trap. */
  taken: string[];
}

export function everydayWords(tree: Tree, { plural, singular }: Names): EverydayWords {
  const text = textOf(tree, 'src/platform') + textOf(tree, 'src/config');
  const says = (pattern: string): boolean => new RegExp(pattern, 'i').test(text);
  const singulars = [...new Set([plural, singular].map(withoutEnding))].filter(
    (word) => /^[a-z]+$/.test(word) && says(word),
  );
  return {
    singulars,
    plurals: singulars.filter((word) => says(`(?<![a-z])${word}s`)),
    taken: singulars.filter(
      (word) => says(`(?<![a-z])${word}(?:Id|_id|-id)`) || says(`/${plural}(?![\\w.])`),
    ),
  };
}

/** Adds words to the lists of the rule. @returns what has to be added by hand, if its lists are not found */
export function noteEveryday(tree: Tree, { singulars, plurals }: EverydayWords): string | undefined {
  if (singulars.length === 0 || !tree.exists(RULE)) return undefined;
  const text = [['EVERYDAY', singulars] as const, ['EVERYDAY_PLURALS', plurals] as const].reduce<
    string | undefined
  >((changed, [list, words]) => changed && withWords(changed, list, words), tree.readText(RULE));
  if (text === undefined) return `${RULE}: add ${singulars.join(', ')} to the words that are plain English.`;
  tree.overwrite(RULE, text);
  return undefined;
}

/** As the rule does it. */
function withoutEnding(name: string): string {
  return name
    .replace(/ies$/, 'y')
    .replace(/(ss|x|ch|sh)es$/, '$1')
    .replace(/([^s])s$/, '$1');
}

function textOf(tree: Tree, folder: string): string {
  let text = '';
  tree.getDir(folder).visit((path, entry) => {
    if (path.endsWith('.ts')) text += entry?.content.toString('utf8') ?? '';
  });
  return text;
}

/** With words in a constant `new Set([...])`; undefined when it is none. */
function withWords(text: string, list: string, words: string[]): string | undefined {
  const source = ts.createSourceFile('rule.ts', text, ts.ScriptTarget.Latest, true);
  const made = source.statements
    .filter(ts.isVariableStatement)
    .flatMap(({ declarationList }) => [...declarationList.declarations])
    .find((declaration) => declaration.name.getText() === list)?.initializer;
  const elements = made && ts.isNewExpression(made) ? made.arguments?.[0] : undefined;
  if (!elements || !ts.isArrayLiteralExpression(elements)) return undefined;
  const there = elements.elements.map((element) => element.getText());
  const missing = words.map((word) => `'${word}'`).filter((word) => !there.includes(word));
  if (missing.length === 0) return text;
  const all = [...there, ...missing].join(', ');
  return `${text.slice(0, elements.getStart())}[${all}]${text.slice(elements.end)}`;
}

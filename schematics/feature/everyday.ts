import type { Tree } from '@angular-devkit/schematics';
import ts from 'typescript';
import { parse, valueOf } from '../lib/edit.ts';
import type { Files } from '../lib/generator.ts';
import type { Names } from '../lib/names.ts';

/** The rule that keeps the words of features out of the platform, and its lists of words that are plain English as well. */
const RULE = 'test/architecture/rules/platform-knows-no-product.ts';
/** The features of the product that shows the rule at work. */
const EXAMPLE = 'test/architecture/fixtures/platform-knows-no-product/src/modules';

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

/** Adds words to the lists of the rule. */
export function noteEveryday(files: Files, { singulars, plurals }: EverydayWords): void {
  for (const [list, words] of Object.entries({ EVERYDAY: singulars, EVERYDAY_PLURALS: plurals }))
    if (words.length > 0) changeList(files, list, (there) => [...new Set([...there, ...words])]);
}

/** Takes the words of a removed feature out again, but for those that the example of the rule itself is about. */
export function forgetEveryday(files: Files, names: string[]): void {
  if (names.some((name) => files.list(`${EXAMPLE}/${name}`).length > 0)) return;
  const gone = names.map(withoutEnding);
  for (const list of ['EVERYDAY', 'EVERYDAY_PLURALS'])
    changeList(files, list, (there) => there.filter((word) => !gone.includes(word)));
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

/** Changes the words of a constant `new Set([...])`. */
function changeList(files: Files, list: string, change: (words: string[]) => string[]): void {
  if (!files.has(RULE)) return;
  files.edit(RULE, (text) => {
    const made = valueOf(parse(text), list);
    const words = made && ts.isNewExpression(made) ? made.arguments?.[0] : undefined;
    if (!words || !ts.isArrayLiteralExpression(words))
      return { state: 'cannot', paste: `${list}: ${change([]).join(', ')}` };
    const there = words.elements.map((element) => element.getText().slice(1, -1));
    const wanted = change(there)
      .map((word) => `'${word}'`)
      .join(', ');
    return { state: 'done', text: `${text.slice(0, words.getStart())}[${wanted}]${text.slice(words.end)}` };
  });
}

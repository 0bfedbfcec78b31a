import { GeneratorFailure } from './failure.ts';

/** The names of a feature in each form in which code has them. */
export interface Names {
  /** `invoice-items`: folder, files, routes. */
  plural: string;
  /** `invoice-item` */
  singular: string;
  /** `invoiceItems` */
  camelPlural: string;
  /** `invoiceItem` */
  camel: string;
  /** `InvoiceItems` */
  pascalPlural: string;
  /** `InvoiceItem` */
  pascal: string;
  /** `invoice_items` */
  table: string;
  /** `invoice items` */
  wordsPlural: string;
  /** `invoice item` */
  words: string;
}

const NAME = /^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/;

/** Names that the code of every feature uses for something else: of the language, of libraries, of its own variables. */
const TAKEN = new Set(
  `arguments async await boolean break case catch class const continue debugger default delete do else enum eval export extends
  false finally for function if implements import in instanceof interface let new null number object package private protected
  public return static string super switch symbol this throw true try type typeof undefined var void while with yield
  array date promise pick
  cache copy
  column entity foreign-key index primary-column unique version-column repository less-than injectable inject-repository
  client-error page unit-of-work outbox outbox-limit
  migration migrations id etag version reply fields columns affected user-id present tagged`.split(/\s+/),
);

/** With it PostgreSQL still tells names of constraints apart, of which it cuts off all behind 63 bytes. */
const LONGEST = 30;

/** Singulars that no rule gives. */
const SINGULARS: Record<string, string> = {
  aliases: 'alias',
  caches: 'cache',
  children: 'child',
  cookies: 'cookie',
  heroes: 'hero',
  indices: 'index',
  matrices: 'matrix',
  movies: 'movie',
  people: 'person',
  quizzes: 'quiz',
  series: 'series',
  species: 'species',
};

/** @throws GeneratorFailure for what is no name, or whose singular cannot be told */
export function namesOf(plural: string, singular = singularOf(plural)): Names {
  for (const name of [plural, singular]) requireName(name);
  if (plural.length > LONGEST)
    throw new GeneratorFailure(`"${plural}" is too long: ${LONGEST} characters are enough for a name.`);
  if (singular === plural)
    throw new GeneratorFailure(
      `"${plural}" looks like a singular: give the plural, or name one with --singular.`,
    );
  for (const name of [plural, singular])
    if (TAKEN.has(name))
      throw new GeneratorFailure(
        `The code of every feature uses the name "${name}" for something else: choose another one, such as ${`account-${plural}`}.`,
      );
  return {
    plural,
    singular,
    camelPlural: camel(plural),
    camel: camel(singular),
    pascalPlural: pascal(plural),
    pascal: pascal(singular),
    table: plural.replaceAll('-', '_'),
    wordsPlural: plural.replaceAll('-', ' '),
    words: singular.replaceAll('-', ' '),
  };
}

/** @throws GeneratorFailure for what is no name */
export function requireName(name: string): void {
  if (!NAME.test(name))
    throw new GeneratorFailure(
      `"${name}" is no name: use lower-case words joined by hyphens, such as invoice-items.`,
    );
}

export function camel(kebab: string): string {
  return kebab.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

export function pascal(kebab: string): string {
  const name = camel(kebab);
  return name[0]!.toUpperCase() + name.slice(1);
}

/** `dueOn` becomes `due_on`. */
export function snake(camelName: string): string {
  return camelName.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `InvoiceAddress` becomes `invoice-address`. */
export function kebab(name: string): string {
  return snake(name[0]!.toLowerCase() + name.slice(1)).replaceAll('_', '-');
}

/** `an invoice`, `a payment`, `a user`. */
export function withArticle(words: string): string {
  return /^(?!eu|one|uni|use)[aeiou]/.test(words) ? `an ${words}` : `a ${words}`;
}

function singularOf(plural: string): string {
  const [last = ''] = plural.split('-').slice(-1);
  const first = plural.slice(0, plural.length - last.length);
  if (Object.hasOwn(SINGULARS, last)) return first + SINGULARS[last];
  if (/(us|ss|sh|ch|x|zz)es$/.test(plural)) return plural.slice(0, -2);
  if (plural.endsWith('ies')) return `${plural.slice(0, -3)}y`;
  return plural.endsWith('ss') ? plural : plural.replace(/s$/, '');
}

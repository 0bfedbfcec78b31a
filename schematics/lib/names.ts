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

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** @throws GeneratorFailure for what is no name, or whose singular cannot be told */
export function namesOf(plural: string, singular = singularOf(plural)): Names {
  for (const name of [plural, singular]) requireName(name);
  if (singular === plural)
    throw new GeneratorFailure(
      `"${plural}" looks like a singular: give the plural, or name one with --singular.`,
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

/** `an invoice`, `a payment`. */
export function withArticle(words: string): string {
  return /^[aeiou]/.test(words) ? `an ${words}` : `a ${words}`;
}

function singularOf(plural: string): string {
  if (/(ss|sh|ch|x|z)es$/.test(plural)) return plural.slice(0, -2);
  if (plural.endsWith('ies')) return `${plural.slice(0, -3)}y`;
  return plural.endsWith('ss') ? plural : plural.replace(/s$/, '');
}

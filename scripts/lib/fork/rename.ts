/** A product's name in each form in which it stands in code and text. */
export interface Names {
  /** For packages, images, databases and keys: `acme-billing`. */
  name: string;
  /** For people: `Acme Billing`. */
  title: string;
}

/** Where a name comes from stays written down: the record of the fork has the name of the starter. */
const RECORD = '(?!\\.json)';

/** Replaces the names of a product in a text. Variables in capitals follow the name: `ACME_BILLING`. */
export function renamed(text: string, from: Names, to: Names): string {
  const capitals = ({ name }: Names): string => name.replaceAll('-', '_').toUpperCase();
  return text
    .replaceAll(new RegExp(`${from.name}${RECORD}`, 'g'), to.name)
    .replaceAll(from.title, to.title)
    .replaceAll(capitals(from), capitals(to));
}

/** `acme-billing` becomes `Acme Billing`. */
export function titleOf(name: string): string {
  return name.replaceAll(/(?:^|-)([a-z])/g, (found, letter: string) =>
    found.replace('-', ' ').replace(letter, letter.toUpperCase()),
  );
}

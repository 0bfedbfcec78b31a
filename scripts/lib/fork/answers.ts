import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { FOUNDATION } from '../remove-features.ts';
import { ForkFailure } from './failure.ts';
import { titleOf } from './rename.ts';

/** What a fork is made from. The same answers on the next version of the starter give the same fork of it. */
export interface Answers {
  name: string;
  title: string;
  description: string;
  /** Whose copyright stands in the licence. */
  holder: string;
  /** Features that were removed, in alphabetical order. */
  removed: string[];
}

export interface Flags {
  help: boolean;
  dryRun: boolean;
  name?: string;
  title?: string;
  description?: string;
  holder?: string;
  keep?: string;
  remove?: string;
}

export const usage = `npm run fork -- --name acme-billing [options]

Makes this checkout of the starter a product of its own: renames it, removes example features with all that belongs to
them, and records how in holdfast.json. On a terminal it asks for what is not given.

  --name NAME         of packages, images, database and keys: lower-case words joined by hyphens
  --title TEXT        for people; default: the name in capitals ("Acme Billing")
  --description TEXT  one sentence, for package.json and the API documentation
  --holder TEXT       whose copyright the licence names; default: "The <title> authors"
  --keep A,B          example features to keep; all others go. --keep none removes all of them, --keep all none
  --remove A,B        or: example features to remove; all others stay
  --dry-run           list what would be removed and changed, and change nothing
  --help              show this text
`;

/** @throws ForkFailure for an unknown option */
export function parseFlags(args: string[]): Flags {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args,
      options: {
        ...{ name: text, title: text, description: text, holder: text, keep: text, remove: text },
        'dry-run': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const { 'dry-run': dryRun, ...flags } = values;
    return { ...flags, dryRun };
  } catch (error) {
    throw new ForkFailure(`${(error as Error).message}\n\n${usage}`, { cause: error });
  }
}

type Ask = (question: string, fallback: string) => Promise<string>;

/**
 * The answers that the flags give; what is missing is asked for, or takes its default where nobody can be asked.
 * @param examples features that a fork may remove
 * @throws ForkFailure for a name that is none, and for unknown features
 */
export async function answersFrom(flags: Flags, examples: string[], ask: Ask | undefined): Promise<Answers> {
  const get = async (given: string | undefined, question: string, fallback: string): Promise<string> =>
    given ?? (await ask?.(question, fallback)) ?? fallback;
  if (flags.name === undefined && !ask)
    throw new ForkFailure(`Give it a name: --name acme-billing\n\n${usage}`);
  const name = checkedName(await get(flags.name, 'Name, such as acme-billing', ''));
  const title = await get(flags.title, 'Title', titleOf(name));
  const description = await get(
    flags.description,
    'What it does, in one sentence',
    `The backend of ${title}.`,
  );
  const holder = await get(flags.holder, 'Copyright holder', `The ${title} authors`);
  const removed = await removedBy(flags, examples, get);
  return { name, title, description, holder, removed };
}

/** Asks on the terminal. */
export async function askOnTerminal<T>(work: (ask: Ask) => Promise<T>): Promise<T> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await work(async (question, fallback) => {
      const shown = fallback === '' ? '' : ` (${fallback})`;
      return (await terminal.question(`${question}${shown}: `)).trim() || fallback;
    });
  } finally {
    terminal.close();
  }
}

function checkedName(name: string): string {
  if (/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) && name.length >= 3 && name.length <= 40) return name;
  throw new ForkFailure(
    `"${name}" cannot be a name: 3 to 40 lower-case letters and digits, words joined by hyphens, such as acme-billing.`,
  );
}

async function removedBy(
  { keep, remove }: Flags,
  examples: string[],
  get: (given: string | undefined, question: string, fallback: string) => Promise<string>,
): Promise<string[]> {
  if (keep !== undefined && remove !== undefined)
    throw new ForkFailure('Give --keep or --remove, not both: one follows from the other.');
  if (remove !== undefined) return known(remove, examples);
  const kept = await get(keep, `Keep which of ${examples.join(', ')}? Names, "all" or "none"`, 'all');
  if (kept === 'all') return [];
  if (kept === 'none') return examples;
  // Every product has the foundation; naming it is no mistake.
  const names = known(kept, [...examples, ...FOUNDATION]);
  return examples.filter((name) => !names.includes(name));
}

function known(list: string, features: string[]): string[] {
  const names = list
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  const unknown = names.filter((name) => !features.includes(name));
  if (unknown.length > 0)
    throw new ForkFailure(
      `There is no example feature ${unknown.join(', ')}. There are: ${features.join(', ')}.`,
    );
  return [...new Set(names)].toSorted();
}

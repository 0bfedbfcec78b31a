import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { UsageError } from '../../local/run-options.ts';
import { guardDirectory, releaseDirectory } from '../../local/servers/guard.ts';
import { localPath, repositoryRoot } from '../../local/servers/paths.ts';

/**
 * Takes a mend out of the product again, to see whether the nemesis finds the defect. Each stands in a file of its own,
 * `sabotages/<name>.sabotage.ts`, which exports these names; it needs no registration.
 */
export interface Sabotage {
  /** One sentence: what the product does wrong then. */
  what: string;
  /** In the built JavaScript. Each text must be there exactly once: else the product has changed and the sabotage has to follow. */
  replacements: readonly { file: string; from: string; to: string }[];
}

export interface NamedSabotage extends Sabotage {
  name: string;
}

const ENDING = '.sabotage.ts';

export async function discoverSabotages(
  directory = join(import.meta.dirname, 'sabotages'),
): Promise<NamedSabotage[]> {
  const files = readdirSync(directory)
    .filter((file) => file.endsWith(ENDING))
    .sort();
  return Promise.all(
    files.map(async (file) => {
      const { what, replacements } = (await import(join(directory, file))) as Partial<Sabotage>;
      if (typeof what !== 'string' || !Array.isArray(replacements))
        throw new Error(`${file} must export what (a sentence) and replacements (a list)`);
      return { what, replacements, name: file.slice(0, -ENDING.length) };
    }),
  );
}

/** @throws UsageError when there is none of that name */
export async function sabotageOf(name: string): Promise<NamedSabotage> {
  const all = await discoverSabotages();
  const sabotage = all.find((one) => one.name === name);
  if (!sabotage)
    throw new UsageError(`Unknown sabotage "${name}"; there are ${all.map((one) => one.name).join(', ')}`);
  return sabotage;
}

/**
 * A sabotaged copy of a build, which stays as it is.
 * @param dist the folder that holds main.js, worker.js and cli.js
 * @returns the same folder of the copy, and how to remove it
 */
export function sabotagedCopy(dist: string, sabotage: NamedSabotage): { dist: string; remove: () => void } {
  // A build of the specimen has what it imports beside it. Inside the repository, because it imports packages.
  const root = dirname(dist) === repositoryRoot ? dist : dirname(dist);
  const copy = localPath('sabotaged', `${sabotage.name}-${process.pid}`);
  const remove = (): void => {
    rmSync(copy, { recursive: true, force: true });
    releaseDirectory(copy);
  };
  guardDirectory(copy);
  cpSync(root, copy, { recursive: true });
  const copied = join(copy, relative(root, dist));
  try {
    apply(sabotage, copied);
  } catch (error) {
    remove();
    throw error;
  }
  return { dist: copied, remove };
}

/** @throws Error when a text is not there exactly once */
export function apply({ name, replacements }: NamedSabotage, dist: string): void {
  for (const { file, from, to } of replacements) {
    const path = join(dist, file);
    const before = readFileSync(path, 'utf8');
    const times = before.split(from).length - 1;
    if (times !== 1)
      throw new Error(
        `The sabotage ${name} no longer fits: its text is ${times} times in ${file}, not once. Look for what took its place:\n${from}`,
      );
    // A function: `$` in the text means nothing.
    writeFileSync(
      path,
      before.replace(from, () => to),
    );
  }
}

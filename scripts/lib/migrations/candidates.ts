import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { MigrationInterface } from 'typeorm';
import { repositoryRoot } from '../../../local/servers/paths.ts';
import type { Candidate } from './check.ts';

/**
 * The migrations of this checkout, in order.
 * @param release those that it has are not checked; default: the newest tag `v*`. Without one, all are checked.
 */
export async function candidates(release = newestRelease()): Promise<Candidate[]> {
  const released =
    release === undefined ? [] : git('ls-tree', '--name-only', release, 'migrations/').split('\n');
  const files = readdirSync(join(repositoryRoot, 'migrations'))
    .filter((file) => file.endsWith('.ts'))
    .toSorted();
  return Promise.all(
    files.map(async (file) => {
      const path = join(repositoryRoot, 'migrations', file);
      const module = (await import(pathToFileURL(path).href)) as Record<string, new () => MigrationInterface>;
      const [Migration] = Object.values(module);
      if (!Migration) throw new Error(`${file} exports no migration`);
      return {
        name: `migrations/${file}`,
        migration: new Migration(),
        source: readFileSync(path, 'utf8'),
        released: released.includes(`migrations/${file}`),
      };
    }),
  );
}

function newestRelease(): string | undefined {
  try {
    return git('describe', '--tags', '--abbrev=0', '--match', 'v[0-9]*').trim();
  } catch {
    return undefined;
  }
}

function git(...words: string[]): string {
  return execFileSync('git', words, {
    cwd: repositoryRoot,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

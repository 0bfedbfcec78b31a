import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The root of the checkout: the nearest folder upwards that holds package.json. */
export const repositoryRoot = findRoot(import.meta.dirname);

/** All files that the local stack and the tests keep between runs; ignored by git, safe to delete while nothing runs. */
export const localDirectory = join(repositoryRoot, '.local');

export function localPath(...parts: string[]): string {
  return join(localDirectory, ...parts);
}

function findRoot(from: string): string {
  if (existsSync(join(from, 'package.json'))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error('No package.json found above the local servers');
  return findRoot(parent);
}

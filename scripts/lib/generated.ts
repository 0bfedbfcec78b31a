import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What generators have written here, by path: their hashes. Not in git: it says which files nobody has worked on yet. */
const RECORD = '.local/generated.json';

/** Notes what these files are now. */
export function noteGenerated(root: string, paths: string[]): void {
  const record = recordOf(root);
  for (const path of paths) record[path] = hashOf(join(root, path));
  mkdirSync(dirname(join(root, RECORD)), { recursive: true });
  writeFileSync(join(root, RECORD), JSON.stringify(record));
}

/** The files that are still as a generator wrote them. */
export function untouched(root: string): string[] {
  return Object.entries(recordOf(root)).flatMap(([path, hash]) =>
    existsSync(join(root, path)) && hashOf(join(root, path)) === hash ? [path] : [],
  );
}

/** Those of these files that could not be had back: neither committed as they are, nor as a generator wrote them. */
export function unsaved(root: string, paths: string[]): string[] {
  const record = recordOf(root);
  return paths.filter((path) => {
    if (!existsSync(join(root, path)) || record[path] === hashOf(join(root, path))) return false;
    const [status] = git(root, 'status', '--porcelain', '--ignored', '--untracked-files=all', '--', path);
    return status !== undefined;
  });
}

function git(root: string, ...args: string[]): string[] {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\n').filter(Boolean);
}

function recordOf(root: string): Record<string, string> {
  const file = join(root, RECORD);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>) : {};
}

function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

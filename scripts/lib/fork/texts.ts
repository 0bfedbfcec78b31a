import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Whose own words they are: the licence of the starter stays in force for its code, and fixtures are input of tests. */
const KEPT_AS_IT_IS = /^LICENSE$|\/fixtures\/|^scripts\/(lib\/fork\/marks|fork(-[a-z]+)?\.spec)\.ts$/;

export function isKeptAsItIs(path: string): boolean {
  return KEPT_AS_IT_IS.test(path);
}

/**
 * Rewrites every text of the tree at `root`, but for what git ignores.
 * @returns the paths of those that changed
 */
export function rewriteTexts(root: string, rewrite: (path: string, text: string) => string): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64e6,
  });
  return listed.split('\0').filter((path) => {
    if (path === '' || isKeptAsItIs(path) || !existsSync(join(root, path))) return false;
    const text = readFileSync(join(root, path), 'utf8');
    if (text.includes('\0')) return false;
    const rewritten = rewrite(path, text);
    if (rewritten !== text) writeFileSync(join(root, path), rewritten);
    return rewritten !== text;
  });
}

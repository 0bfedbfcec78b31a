import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Mounts an empty file system of this size, which is kept in memory. Needs root. */
export async function mountTmpfs(path: string, options: string): Promise<void> {
  await run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]);
}

/** Also while files in it are open. */
export async function unmount(path: string): Promise<void> {
  await run('umount', ['--lazy', path]);
}

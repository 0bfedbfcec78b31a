import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../wait-for.ts';
import { tryLock, withLock } from './lock.ts';
import { privateDirectory } from './private-directory.ts';
import type { PrivateDirectory } from './private-directory.ts';

let folder: PrivateDirectory;
let path: string;
beforeEach(async () => {
  folder = await privateDirectory('lock');
  path = join(folder.path, 'lock');
});
afterEach(() => folder.remove());

describe('a lock', () => {
  it('is held by one process at a time', () => {
    const first = tryLock(path);
    expect(tryLock(path)).toBeUndefined();
    first?.release();
    const second = tryLock(path);
    expect(second).toBeDefined();
    second?.release();
  });

  it('is released when its holder is killed', async () => {
    const module = join(import.meta.dirname, 'lock.ts');
    const program = `
      const { tryLock } = await import(${JSON.stringify(module)});
      tryLock(${JSON.stringify(path)});
      globalThis.gc(); // A lock nobody has a reference to is still held.
      console.log('held');
      setInterval(() => {}, 1000);
    `;
    const holder = spawn(process.execPath, ['--expose-gc', '--input-type=module', '--eval', program]);
    await once(holder.stdout, 'data');
    expect(tryLock(path)).toBeUndefined();
    holder.kill('SIGKILL');
    const taken = await waitFor(() => tryLock(path), { what: 'the lock of a killed holder' });
    taken.release();
  });

  it('is given to waiters one after the other', async () => {
    let inside = 0;
    const most: number[] = [];
    const work = async (): Promise<void> => {
      most.push((inside += 1));
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      inside -= 1;
    };
    await Promise.all([withLock(path, work), withLock(path, work), withLock(path, work)]);
    expect(most).toEqual([1, 1, 1]);
  });
});

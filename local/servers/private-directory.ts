import { chownSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guardDirectory, releaseDirectory } from './guard.ts';

export interface PrivateDirectory {
  path: string;
  remove(): Promise<void>;
}

/** A temporary directory that exists until it is removed, or this process dies. */
export async function privateDirectory(
  name: string,
  owner?: { uid: number; gid: number },
): Promise<PrivateDirectory> {
  const path = await mkdtemp(join(tmpdir(), `holdfast-${name}-`));
  guardDirectory(path);
  if (owner) chownSync(path, owner.uid, owner.gid);
  return {
    path,
    remove: async () => {
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
      releaseDirectory(path);
    },
  };
}

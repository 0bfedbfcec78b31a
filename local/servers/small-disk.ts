import { execFileSync } from 'node:child_process';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { guardMount } from './guard.ts';
import { mountTmpfs, unmount } from './mount.ts';
import { privateDirectory, type PrivateDirectory } from './private-directory.ts';

/** A private directory on a file system of its own, which can run full. */
export interface SmallDisk extends PrivateDirectory {
  /** Takes all the space that is left; again, what has become free since. */
  fill(): Promise<void>;
  /** Gives the space back. */
  clear(): Promise<void>;
}

const PIECE = Buffer.alloc(1024 * 1024);
/** The smallest unit of a tmpfs. */
const CRUMB = PIECE.subarray(0, 4096);

/** Why this machine cannot have one; undefined when it can. Tried where it leaves nothing: in a mount namespace of its own. */
export function noSmallDisks(): string | undefined {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'pipe' });
    return undefined;
  } catch {
    return 'only root may mount a file system of limited size';
  }
}

export async function smallDisk(
  name: string,
  { megabytes, owner }: { megabytes: number; owner?: { uid: number; gid: number } },
): Promise<SmallDisk> {
  const directory = await privateDirectory(name, owner);
  const { path } = directory;
  const ids = owner ? `,uid=${owner.uid},gid=${owner.gid}` : '';
  await mountTmpfs(path, `size=${megabytes}m,mode=0700${ids}`);
  guardMount(path);
  let mounted = true;
  const ballast = join(path, 'ballast');
  return {
    path,
    fill: async () => {
      const file = await open(ballast, 'a');
      try {
        for (const piece of [PIECE, CRUMB]) while ((await written(file, piece)) > 0);
      } finally {
        await file.close();
      }
    },
    clear: () => rm(ballast, { force: true }),
    remove: async () => {
      if (mounted) await unmount(path);
      mounted = false;
      await directory.remove();
    },
  };
}

async function written(file: Awaited<ReturnType<typeof open>>, piece: Buffer): Promise<number> {
  try {
    return (await file.write(piece)).bytesWritten;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return 0;
    throw error;
  }
}

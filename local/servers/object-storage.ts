import { mkdir } from 'node:fs/promises';
import { freePort } from './ports.ts';
import { repositoryRoot } from './paths.ts';
import { privateDirectory } from './private-directory.ts';
import { startServer, type ServerControl } from './server-process.ts';

export interface ObjectStorageServer extends ServerControl {
  readonly port: number;
  /** Settings of the product for its bucket. @param port of a proxy before it */
  env(port?: number): Record<string, string>;
}

const BUCKET = 'things';

/** It reads its options from an argument, because the package has no program. */
const PROGRAM = `new (require('@20minutes/s3rver'))(JSON.parse(process.argv[1])).run()`;

/** Starts a private S3-compatible object storage with an empty bucket on 127.0.0.1. */
export async function startObjectStorage(): Promise<ObjectStorageServer> {
  const port = await freePort();
  const folder = await privateDirectory('object-storage');
  const directory = `${folder.path}/data`;
  await mkdir(directory);
  const options = {
    address: '127.0.0.1',
    port,
    directory,
    silent: true,
    vhostBuckets: false,
    configureBuckets: [{ name: BUCKET }],
  };
  const server = await startServer(
    {
      name: 'Object storage',
      command: process.execPath,
      args: ['--eval', PROGRAM, JSON.stringify(options)],
      cwd: repositoryRoot,
      isReady: () =>
        fetch(`http://127.0.0.1:${port}/${BUCKET}`).then(
          () => true,
          () => false,
        ),
    },
    { directory: folder, discardBy: 'SIGKILL' },
  );
  return Object.assign(server, {
    port,
    env: (through = port) => ({
      STORAGE_URL: `http://127.0.0.1:${through}/${BUCKET}`,
      STORAGE_ACCESS_KEY_ID: 'S3RVER',
      STORAGE_SECRET_ACCESS_KEY: 'S3RVER',
    }),
  });
}

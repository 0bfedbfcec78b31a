import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runCli } from '../../../local/processes.ts';
import { postgresBinaries } from '../../../local/servers/postgres-data.ts';
import { ownerOf, postgresUser } from '../../../local/servers/postgres-user.ts';
import { startPostgres } from '../../../local/servers/postgres.ts';
import { privateDirectory, type PrivateDirectory } from '../../../local/servers/private-directory.ts';
import { START_WITHIN_MS } from './processes.ts';

const run = promisify(execFile);
const prepared = new Map<string, Promise<string>>();

/** Fills a directory with the data of a PostgreSQL that has been migrated by this build: once for all rigs of this process. */
export async function copyMigratedData({ path }: PrivateDirectory, dist: string): Promise<void> {
  let preparing = prepared.get(dist);
  if (!preparing) {
    preparing = prepare(dist);
    prepared.set(dist, preparing);
    // The next schedule tries it again.
    preparing.catch(() => prepared.delete(dist));
  }
  await run('cp', ['-a', await preparing, join(path, 'data')]);
}

/** Where data of PostgreSQL may stand. */
export async function dataDirectory(): Promise<PrivateDirectory> {
  const user = postgresUser([(await postgresBinaries()).postgres, '/']);
  return privateDirectory('postgres', ownerOf(user));
}

async function prepare(dist: string): Promise<string> {
  const directory = await dataDirectory();
  const dataDir = join(directory.path, 'data');
  const server = await startPostgres({ dataDir, settings: { fsync: 'off' } });
  try {
    const options = { dist, timeoutMs: START_WITHIN_MS };
    const { code, stdout, stderr } = await runCli(['migrate'], { DATABASE_URL: server.url() }, options);
    if (code !== 0) throw new Error(`cli migrate failed: ${stdout}${stderr}`);
  } finally {
    await server.stop();
  }
  return dataDir;
}

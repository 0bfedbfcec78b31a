import { execFile } from 'node:child_process';
import { appendFile, chown, rm, stat, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { waitFor } from '../wait-for.ts';
import { postgresBinaries } from './postgres-data.ts';
import { ownerOf, postgresUser } from './postgres-user.ts';
import { startPostgres, type PostgresOptions, type PostgresServer } from './postgres.ts';
import { privateDirectory, type PrivateDirectory } from './private-directory.ts';

const run = promisify(execFile);

/** A private directory that PostgreSQL may write to. */
export async function postgresDirectory(name: string): Promise<PrivateDirectory> {
  return privateDirectory(name, ownerOf(postgresUser([(await postgresBinaries()).postgres, '/'])));
}

/**
 * Makes a base backup as pg_basebackup makes it, by the low-level API (PostgreSQL documentation 25.3.4): the npm package of the
 * server has no client programs, and those of a distribution reject a newer server.
 */
export async function backUp(primary: PostgresServer, dataDir: string): Promise<void> {
  await asAdmin(primary, async (client) => {
    await client.query("SELECT pg_backup_start('backup', fast => true)");
    await copyInUse(primary.dataDir, dataDir);
    const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)');
    await writeAsOwner(dataDir, 'backup_label', rows[0]?.labelfile ?? '');
    await Promise.all(
      ['postmaster.pid', 'postmaster.opts'].map((file) => rm(`${dataDir}/${file}`, { force: true })),
    );
  });
}

/** Restarts a server so that it copies each finished segment of its WAL into `archive`. */
export async function archiveWal(server: PostgresServer, archive: string): Promise<void> {
  await asAdmin(server, async (client) => {
    await client.query(`ALTER SYSTEM SET archive_mode = 'on'`);
    await client.query(`ALTER SYSTEM SET archive_command = 'test ! -f ${archive}/%f && cp %p ${archive}/%f'`);
  });
  await server.restart();
}

/** Finishes the current segment of the WAL, and waits until the archive has it. */
export async function archiveRest(server: PostgresServer): Promise<void> {
  await asAdmin(server, async (client) => {
    const { rows } = await client.query<{ segment: string }>(
      'SELECT pg_walfile_name(pg_switch_wal()) AS segment',
    );
    await waitFor(
      async () => {
        const text = 'SELECT last_archived_wal >= $1 AS archived FROM pg_stat_archiver';
        return (await client.query<{ archived: boolean }>(text, [rows[0]?.segment])).rows[0]?.archived;
      },
      { within: 60_000, what: 'the last segment in the archive' },
    );
  });
}

/**
 * Starts a server on a data directory of its own, which `fill` makes. The directory is removed when the server is stopped, or when it
 * cannot be started.
 */
export async function startOnCopy(
  directory: PrivateDirectory,
  fill: (dataDir: string) => Promise<void>,
  options: Omit<PostgresOptions, 'dataDir' | 'persistent'> = {},
): Promise<PostgresServer> {
  const dataDir = `${directory.path}/data`;
  try {
    await fill(dataDir);
    const server = await startPostgres({ ...options, dataDir, persistent: false });
    const stop = server.stop.bind(server);
    return Object.assign(server, {
      stop: async () => {
        await stop();
        await directory.remove();
      },
    });
  } catch (error) {
    await directory.remove();
    throw error;
  }
}

/**
 * Starts a server on a copy of a base backup, as its primary was at `time`. The settings are those of PostgreSQL documentation
 * 25.3.5.
 */
export async function restoreTo(
  time: string,
  { backup, archive }: { backup: string; archive: string },
): Promise<PostgresServer> {
  const server = await startOnCopy(await postgresDirectory('restored'), async (dataDir) => {
    await run('cp', ['-a', backup, dataDir]);
    await writeAsOwner(dataDir, 'recovery.signal', '');
    await appendFile(
      `${dataDir}/postgresql.auto.conf`,
      `restore_command = 'cp ${archive}/%f %p'\n` +
        `recovery_target_time = '${time}'\n` +
        `recovery_target_action = 'promote'\n` +
        `archive_mode = 'off'\n`,
    );
  });
  try {
    await waitFor(
      () =>
        asAdmin(server, async (client) => {
          const { rows } = await client.query<{ over: boolean }>('SELECT NOT pg_is_in_recovery() AS over');
          return rows[0]?.over;
        }),
      { within: 120_000, what: 'the end of recovery' },
    );
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

/** Files that vanish or are replaced meanwhile are not needed (PostgreSQL documentation 25.3.4): the log has what they held. */
async function copyInUse(from: string, to: string): Promise<void> {
  await run('cp', ['-a', from, to], { env: { PATH: process.env.PATH, LC_ALL: 'C' } }).catch(
    (error: { stderr?: string }) => {
      const complaints = error.stderr?.trim().split('\n') ?? [''];
      const harmless = /(: No such file or directory|, as it was replaced while being copied)$/;
      if (!complaints.every((line) => harmless.test(line))) throw error;
    },
  );
}

/** PostgreSQL writes to these files too, and does not run as root. */
export async function writeAsOwner(dataDir: string, file: string, text: string): Promise<void> {
  const { uid, gid } = await stat(dataDir);
  await writeFile(`${dataDir}/${file}`, text);
  await chown(`${dataDir}/${file}`, uid, gid);
}

/** Work on a connection of the superuser. */
export async function asAdmin<T>(
  server: PostgresServer,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: server.adminUrl() });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

import { execFile } from 'node:child_process';
import { appendFile, chown, rm, stat, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { ownerOf, postgresUser } from './postgres-user.ts';
import { postgresBinaries } from './postgres-data.ts';
import { startPostgres, type PostgresOptions, type PostgresServer } from './postgres.ts';
import { privateDirectory } from './private-directory.ts';

const run = promisify(execFile);

export interface PostgresReplica extends PostgresServer {
  /** Ends recovery: from now on it accepts writes. */
  promote(): Promise<void>;
  /** Pauses replay, as a long query on a replica or a slow disk does; WAL still arrives. */
  pauseReplay(): Promise<void>;
  resumeReplay(): Promise<void>;
}

/**
 * Starts a hot standby that streams from `primary`. The base backup is made as pg_basebackup makes it, by the low-level API
 * (PostgreSQL documentation 25.3.4): the npm package of the server has no client programs, and those of a distribution reject a
 * newer server.
 */
export async function startReplica(
  primary: PostgresServer,
  options: Pick<PostgresOptions, 'settings' | 'onLine' | 'directory'> = {},
): Promise<PostgresReplica> {
  const user = postgresUser([(await postgresBinaries()).postgres, '/']);
  const directory = options.directory ?? (await privateDirectory('replica', ownerOf(user)));
  const dataDir = `${directory.path}/data`;
  try {
    await backUp(primary, dataDir);
    await followAs(dataDir, primary);
    const server = await startPostgres({ ...options, dataDir, persistent: false });
    const stop = server.stop.bind(server);
    const ask = (text: string) => asAdmin(server, (client) => client.query(text));
    return Object.assign(server, {
      promote: async () => {
        await ask('SELECT pg_promote()');
      },
      pauseReplay: async () => {
        await ask('SELECT pg_wal_replay_pause()');
      },
      resumeReplay: async () => {
        await ask('SELECT pg_wal_replay_resume()');
      },
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

/** Restarts a primary as a replica of `newPrimary`, which is still a replica or has been promoted: the end of a switch-over. */
export async function demote(primary: PostgresServer, newPrimary: PostgresServer): Promise<void> {
  await followAs(primary.dataDir, newPrimary);
  await primary.restart();
}

async function followAs(dataDir: string, primary: PostgresServer): Promise<void> {
  const { username, password, port } = new URL(primary.adminUrl());
  const conninfo = `host=127.0.0.1 port=${port} user=${username} password=${password}`;
  await writeAsOwner(dataDir, 'standby.signal', '');
  await appendFile(`${dataDir}/postgresql.auto.conf`, `primary_conninfo = '${conninfo}'\n`);
}

async function backUp(primary: PostgresServer, dataDir: string): Promise<void> {
  await asAdmin(primary, async (client) => {
    await client.query("SELECT pg_backup_start('replica', fast => true)");
    await copyInUse(primary.dataDir, dataDir);
    const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)');
    await writeAsOwner(dataDir, 'backup_label', rows[0]?.labelfile ?? '');
    await Promise.all(
      ['postmaster.pid', 'postmaster.opts'].map((file) => rm(`${dataDir}/${file}`, { force: true })),
    );
  });
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
async function writeAsOwner(dataDir: string, file: string, text: string): Promise<void> {
  const { uid, gid } = await stat(dataDir);
  await writeFile(`${dataDir}/${file}`, text);
  await chown(`${dataDir}/${file}`, uid, gid);
}

async function asAdmin<T>(server: PostgresServer, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: server.adminUrl() });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

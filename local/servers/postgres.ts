import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { preparePostgresDirectory, postgresBinaries, postgresRole, ownData } from './postgres-data.ts';
import { ownerOf, postgresUser } from './postgres-user.ts';
import { freePort } from './ports.ts';
import { privateDirectory, type PrivateDirectory } from './private-directory.ts';
import { startServer, type ServerControl } from './server-process.ts';

const run = promisify(execFile);

export interface PostgresOptions {
  /** The data directory. Default: a private temporary one that is removed with the server. */
  dataDir?: string;
  /** Holds the data directory and is removed with the server. Default: a private temporary one. */
  directory?: PrivateDirectory;
  /** Default: a free port. */
  port?: number;
  /** Keep the data directory after `stop` and write durably. Default: true exactly when `dataDir` is given. */
  persistent?: boolean;
  /** Settings of postgresql.conf in addition to those chosen here. */
  settings?: Record<string, string | number>;
  /** Every line of the server's log. */
  onLine?: (line: string) => void;
  onUnexpectedExit?: (reason: string) => void;
}

export interface PostgresServer extends ServerControl {
  readonly port: number;
  readonly dataDir: string;
  /** Connection string of the application's role, which owns the database `holdfast` and may create others. */
  url(database?: string): string;
  /** Connection string of the superuser. */
  adminUrl(database?: string): string;
}

/**
 * Starts a private PostgreSQL 18 on 127.0.0.1, from the binaries that npm has installed.
 *
 * The application connects as a role that is no superuser, as it would in production: a superuser may use the reserved
 * connections and bypasses every permission check, so tests with one would prove less.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const persistent = options.persistent ?? options.dataDir !== undefined;
  const port = options.port ?? (await freePort());
  const { postgres } = await postgresBinaries();
  const user = postgresUser([postgres, options.dataDir ? dirname(options.dataDir) : '/'], options.dataDir);
  const temporary = options.dataDir
    ? undefined
    : (options.directory ?? (await privateDirectory('postgres', ownerOf(user))));
  const dataDir = options.dataDir ?? `${temporary?.path}/data`;
  if (!existsSync(`${dataDir}/PG_VERSION`)) {
    await mkdir(dirname(dataDir), { recursive: true });
    await preparePostgresDirectory(dataDir);
  }
  await ownData(dataDir, user);

  const settings = {
    ...commonSettings,
    ...(persistent ? {} : fastSettings),
    ...options.settings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  // Private data are about to be deleted, so PostgreSQL need not write them: SIGQUIT is its "immediate" shutdown. SIGKILL would
  // leave a segment of shared memory behind each time; after 4,096 of them no PostgreSQL starts on the machine any more.
  const server = await startServer(
    {
      name: 'PostgreSQL',
      ...user.command(postgres, ['-D', dataDir, '-p', String(port), ...flags]),
      env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
      cwd: '/',
      isReady: () => answersQueries(urlFor(port, 'postgres', 'postgres')),
      // Crash recovery after a kill counts towards readiness.
      readyWithinMs: 60_000,
      // SIGINT is PostgreSQL's "fast" shutdown: sessions are ended, data are written.
      stopSignal: 'SIGINT',
      orphanSignal: persistent ? 'SIGINT' : 'SIGQUIT',
      stopWithinMs: 15_000,
      onLine: options.onLine,
      onUnexpectedExit: options.onUnexpectedExit,
    },
    {
      directory: temporary,
      discardBy: persistent ? undefined : 'SIGQUIT',
      cleanUp: () => freeSharedMemory(dataDir),
    },
  );
  return Object.assign(server, {
    port,
    dataDir,
    url: (database = postgresRole) => urlFor(port, postgresRole, database),
    adminUrl: (database = 'postgres') => urlFor(port, 'postgres', database),
  });
}

const commonSettings: Record<string, string | number> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 200,
  shared_buffers: '128MB',
  logging_collector: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/** For data that are not needed after a crash of the machine; a crash of PostgreSQL alone still loses nothing. */
const fastSettings: Record<string, string | number> = {
  fsync: 'off',
  full_page_writes: 'off',
  max_wal_size: '2GB',
};

/**
 * Frees the segment of shared memory of a server that was killed. PostgreSQL does that itself when it starts again on the same
 * data; here they are about to be deleted. An orderly end removes postmaster.pid, so there is nothing to free.
 */
async function freeSharedMemory(dataDir: string): Promise<void> {
  const file = await readFile(`${dataDir}/postmaster.pid`, 'utf8').catch(() => '');
  // The seventh line holds the segment's key and its id (PostgreSQL source, src/include/utils/pidfile.h).
  const id = file.split('\n')[6]?.trim().split(/\s+/)[1];
  if (id) await run('ipcrm', ['-m', id]).catch(() => undefined);
}

function urlFor(port: number, role: string, database: string): string {
  return `postgresql://${role}:${role}@127.0.0.1:${port}/${database}`;
}

/** Whether a statement succeeds, on a separate connection. */
export async function answersQueries(connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 1_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { freePort } from './ports.ts';
import { postgresUser } from './postgres-user.ts';
import { answersQueries, type PostgresServer } from './postgres.ts';
import { privateDirectory } from './private-directory.ts';
import { startServer, type ServerControl } from './server-process.ts';
import { knownTool } from './system-tool.ts';

const run = promisify(execFile);

export interface PgBouncerOptions {
  /** In addition to those chosen here. */
  settings?: Record<string, string | number>;
  onLine?: (line: string) => void;
}

export interface PgBouncerServer extends ServerControl {
  readonly port: number;
  /** `1.18`: prepared statements are supported from 1.21 on. */
  readonly version: number;
  /** Connection string of the application's role. */
  readonly url: string;
}

/** Starts a private PgBouncer in transaction mode, with few server connections, in front of a PostgreSQL. */
export async function startPgBouncer(
  postgres: PostgresServer,
  options: PgBouncerOptions = {},
): Promise<PgBouncerServer> {
  const port = await freePort();
  const tool = await knownTool('pgbouncer');
  const { stdout } = await run(tool.command, ['--version'], { env: tool.env });
  const version = Number(/PgBouncer (\d+\.\d+)/.exec(stdout)?.[1]);
  const { username, password } = new URL(postgres.url());
  const folder = await privateDirectory('pgbouncer');
  const file = (name: string): string => join(folder.path, name);
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: file('users.txt'),
    pool_mode: 'transaction',
    default_pool_size: 2,
    max_client_conn: 200,
    ...options.settings,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  await writeFile(file('users.txt'), `"${username}" "${password}"\n`);
  await writeFile(
    file('pgbouncer.ini'),
    `[databases]\n* = host=127.0.0.1 port=${postgres.port}\n[pgbouncer]\n${lines.join('\n')}\n`,
  );
  // It refuses to run as root, like PostgreSQL.
  await chmod(folder.path, 0o755);
  const url = postgres.url().replace(`:${postgres.port}/`, `:${port}/`);
  const server = await startServer(
    {
      name: 'PgBouncer',
      ...postgresUser([tool.command]).command(tool.command, [file('pgbouncer.ini')]),
      env: tool.env,
      isReady: () => answersQueries(url),
      readyWithinMs: 30_000,
      // SIGTERM closes at once; SIGINT waits for clients.
      stopSignal: 'SIGTERM',
      stopWithinMs: 3_000,
      onLine: options.onLine,
    },
    { directory: folder, discardBy: 'SIGKILL' },
  );
  return Object.assign(server, { port, version, url });
}

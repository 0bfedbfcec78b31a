import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { freePort } from './ports.ts';
import { privateDirectory } from './private-directory.ts';
import { startServer, type ServerControl } from './server-process.ts';
import { knownTool } from './system-tool.ts';

export interface RedisOptions {
  /** Where an append-only file is kept. Default: none, the data are lost with the process. */
  dataDir?: string;
  /** Default: a free port. */
  port?: number;
  /** Settings of redis.conf in addition to those chosen here. */
  settings?: Record<string, string | number>;
  onProgress?: (message: string) => void;
  /** Every line of the server's log. */
  onLine?: (line: string) => void;
  onUnexpectedExit?: (reason: string) => void;
}

export interface RedisServer extends ServerControl {
  readonly port: number;
  readonly dataDir: string;
  url(database?: number): string;
  /** Empties every database. */
  flush(): Promise<void>;
}

/** Number of databases of a server started here: one for each test file that runs on it. */
export const redisDatabases = 512;

/**
 * Starts a private Redis (or Valkey) on 127.0.0.1. It never evicts: queues live in it. Without `dataDir` a `restart`
 * finds it empty.
 */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const port = options.port ?? (await freePort());
  const tool = await knownTool('redis', options.onProgress);
  const temporary = options.dataDir ? undefined : await privateDirectory('redis');
  const directory = options.dataDir ?? temporary?.path ?? '';
  await mkdir(directory, { recursive: true });
  const settings: Record<string, string | number> = {
    port,
    bind: '127.0.0.1',
    dir: directory,
    databases: redisDatabases,
    save: '',
    appendonly: options.dataDir ? 'yes' : 'no',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
    ...options.settings,
  };
  const server = await startServer(
    {
      name: 'Redis',
      command: tool.command,
      args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
      env: tool.env,
      cwd: directory,
      isReady: () => answersPing(port),
      stopWithinMs: 5_000,
      orphanSignal: options.dataDir ? 'SIGTERM' : 'SIGKILL',
      onLine: options.onLine,
      onUnexpectedExit: options.onUnexpectedExit,
    },
    { directory: temporary, discardBy: temporary && 'SIGKILL' },
  );
  return Object.assign(server, {
    port,
    dataDir: directory,
    url: (database = 0) => `redis://127.0.0.1:${port}${database === 0 ? '' : `/${database}`}`,
    flush: async () => {
      const answer = await sendRedisCommand(port, 'FLUSHALL');
      if (!answer.startsWith('+OK')) throw new Error(`Redis rejected FLUSHALL: ${answer}`);
    },
  });
}

/** Whether a Redis or a Sentinel answers. */
export async function answersPing(port: number): Promise<boolean> {
  return (await sendRedisCommand(port, 'PING', 1_000).catch(() => '')).startsWith('+PONG');
}

/** One command on a separate connection: nothing here may depend on the client library under test. */
export function sendRedisCommand(port: number, command: string, withinMs = 20_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.setTimeout(withinMs, () => socket.destroy(new Error('Redis does not answer')));
    socket.once('connect', () => socket.write(`${command}\r\n`));
    socket.once('data', (answer) => {
      socket.destroy();
      resolve(answer.toString());
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('Redis closed the connection')));
  });
}

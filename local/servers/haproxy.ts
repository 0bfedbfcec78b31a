import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from './ports.ts';
import { privateDirectory } from './private-directory.ts';
import { startServer, type ServerControl } from './server-process.ts';
import { knownTool } from './system-tool.ts';

export interface HaproxyOptions {
  /** The whole configuration; a function gets the port to bind on 127.0.0.1. */
  config: (port: number) => string;
  port?: number;
  onLine?: (line: string) => void;
  onProgress?: (message: string) => void;
}

export interface HaproxyServer extends ServerControl {
  readonly port: number;
  readonly url: string;
}

/** Starts a private HAProxy in the foreground and waits until it accepts connections. */
export async function startHaproxy(options: HaproxyOptions): Promise<HaproxyServer> {
  const port = options.port ?? (await freePort());
  const tool = await knownTool('haproxy', options.onProgress);
  const folder = await privateDirectory('haproxy');
  const file = join(folder.path, 'haproxy.cfg');
  await writeFile(file, options.config(port));
  const server = await startServer(
    {
      name: 'HAProxy',
      command: tool.command,
      args: ['-db', '-f', file],
      env: tool.env,
      isReady: () => accepts(port),
      readyWithinMs: 10_000,
      // SIGUSR1 lets connections finish and would wait for keep-alive clients; SIGTERM ends it at once.
      stopSignal: 'SIGTERM',
      stopWithinMs: 3_000,
      onLine: options.onLine,
    },
    { directory: folder },
  );
  return Object.assign(server, { port, url: `http://127.0.0.1:${port}` });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

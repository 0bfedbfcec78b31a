import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, localPath, repositoryRoot, ServerProcess } from '../../local/servers/index.ts';

/** A process that the product is compared with. */
export interface Reference {
  readonly pid: number;
  url: string;
  /** Sends it a request that is not measured. */
  command<T>(path: string, body?: unknown): Promise<T>;
  stop(): Promise<void>;
}

export interface ReferenceOptions {
  env: Record<string, string | undefined>;
  /** The variable for its port. Default `PORT`. */
  portVariable?: string;
  /** Answered with 200 once it is ready. Default `/ready`. */
  readyPath?: string;
  logFile?: string;
}

/** Starts a file of `bench/` and waits until it is ready. */
export async function startReference(
  file: string,
  { env, portVariable = 'PORT', readyPath = '/ready', logFile }: ReferenceOptions,
): Promise<Reference> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  // A folder without a `.env` file: a developer's own settings must not leak into the measurement.
  const cwd = localPath('run');
  mkdirSync(cwd, { recursive: true });
  const server = new ServerProcess({
    name: file,
    command: process.execPath,
    args: [join(repositoryRoot, 'bench', file)],
    env: { PATH: process.env.PATH, ...env, [portVariable]: String(port) },
    cwd,
    outputFile: logFile,
    isReady: async () => {
      const answer = await fetch(`${url}${readyPath}`, { signal: AbortSignal.timeout(1000) }).catch(
        () => undefined,
      );
      return answer?.ok === true;
    },
    stopWithinMs: 5000,
  });
  await server.start();
  return {
    get pid() {
      return server.pid;
    },
    url,
    command: async <T>(path: string, body: unknown = {}): Promise<T> => {
      const response = await fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`${file} answered ${response.status}: ${await response.text()}`);
      return (await response.json()) as T;
    },
    stop: async () => {
      await server.stop();
    },
  };
}

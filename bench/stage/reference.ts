import { join } from 'node:path';
import { freePort, repositoryRoot, ServerProcess } from '../../test/support/servers/index.ts';

/** A process that the product is compared with. */
export interface Reference {
  readonly pid: number;
  url: string;
  /** Asks it for something that is not measured. */
  command<T>(path: string, body?: unknown): Promise<T>;
  stop(): Promise<void>;
}

/**
 * Starts a file of `bench/` and waits until it answers on `GET /ready`.
 * @param env gets `PORT` added
 */
export async function startReference(
  file: string,
  env: Record<string, string | undefined>,
): Promise<Reference> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = new ServerProcess({
    name: file,
    command: process.execPath,
    args: [join(repositoryRoot, 'bench', file)],
    env: { PATH: process.env.PATH, ...env, PORT: String(port) },
    cwd: repositoryRoot,
    isReady: async () => {
      const answer = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(1000) }).catch(
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

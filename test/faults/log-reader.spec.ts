import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { httpClient, type HttpClient } from '../../local/http.ts';
import { freePort } from '../../local/servers/ports.ts';
import { waitFor } from '../../local/wait-for.ts';
import { buildSpecimen } from '../specimen/build.ts';
import { NEVER_CLOSES, openCounter, type Counter } from './counter.ts';

/** A process whose log nobody reads, as under a container runtime that has stalled. */
interface Unread {
  child: ChildProcess;
  http: HttpClient;
  management: HttpClient;
  exited: Promise<number | null>;
}

describe.each(['pipe without a reader', 'socket without a reader', 'file on a full disk'] as const)(
  'a log on a %s',
  (kind) => {
    let counter: Counter;
    let folder: string;
    let unread: Unread | undefined;
    let target: number | undefined;

    beforeAll(async () => {
      counter = await openCounter({ worker: false });
      folder = mkdtempSync(join(tmpdir(), 'unread-'));
      if (kind.startsWith('pipe')) execFileSync('mkfifo', [join(folder, 'log')]);
    });
    afterEach(() => unread?.child.kill('SIGKILL'));
    afterAll(async () => {
      if (target !== undefined) closeSync(target);
      rmSync(folder, { recursive: true });
      await counter?.close();
    });

    async function start(env: Record<string, string> = {}): Promise<Unread> {
      const [port, management] = [await freePort(), await freePort()];
      if (kind.startsWith('file')) target ??= openSync('/dev/full', 'w');
      if (kind.startsWith('pipe'))
        target ??= openSync(join(folder, 'log'), constants.O_RDWR | constants.O_NONBLOCK);
      const child = spawn(process.execPath, [join(await buildSpecimen(), 'main.js')], {
        cwd: folder,
        env: {
          ...counter.stack.env,
          PORT: String(port),
          MANAGEMENT_PORT: String(management),
          ...env,
        },
        stdio: ['ignore', target ?? 'pipe', 'ignore'],
      });
      const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
      const clients = {
        http: httpClient(`http://127.0.0.1:${port}`),
        management: httpClient(`http://127.0.0.1:${management}`),
      };
      unread = { child, exited, ...clients };
      await waitFor(
        async () => (await clients.management.get('/health/ready').catch(() => undefined))?.status === 200,
        { within: 60_000, what: 'readiness' },
      );
      // Many times what a pipe or a socket holds.
      for (let batch = 0; batch < 80; batch += 1) {
        await Promise.all(Array.from({ length: 50 }, () => clients.http.get('/v1/accounts?limit=1')));
      }
      return unread;
    }

    it('delays neither requests nor the exit at SIGTERM with code 0', async () => {
      const { child, http, management, exited } = await start();
      expect((await http.get('/v1/accounts?limit=1')).status).toBe(200);
      if (kind === 'file on a full disk') {
        const dropped = async () =>
          /^log_lines_dropped_total [1-9]/m.test((await management.get('/metrics')).text);
        await waitFor(dropped, { what: 'lines that are counted as dropped' });
      }
      child.kill('SIGTERM');
      expect(await exited).toBe(0);
    });

    it('does not delay the shutdown timeout: the process exits with code 1', async () => {
      const { child, exited } = await start({ NODE_OPTIONS: NEVER_CLOSES, SHUTDOWN_TIMEOUT_MS: '1200' });
      child.kill('SIGTERM');
      expect(await exited).toBe(1);
    });
  },
);

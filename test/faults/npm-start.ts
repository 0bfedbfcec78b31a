import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { httpClient, type HttpClient } from '../../local/http.ts';
import { repositoryRoot } from '../../local/servers/paths.ts';
import { freePort, isPortFree } from '../../local/servers/ports.ts';
import { privateDirectory } from '../../local/servers/private-directory.ts';
import { waitFor } from '../../local/wait-for.ts';

const account = { email: 'customer@example.com', password: 'holdfast-demo-password' };
const portNames = [
  'PORT',
  'MANAGEMENT_PORT',
  'WORKER_MANAGEMENT_PORT',
  'LOCAL_POSTGRES_PORT',
  'LOCAL_REDIS_PORT',
  'LOCAL_SANDBOX_PORT',
  'LOCAL_SMTP_PORT',
  'LOCAL_SMTP_CONTROL_PORT',
] as const;

/** One run of `npm start`. */
export interface Run {
  child: ChildProcess;
  exit: Promise<number | null>;
  /** Waits until everything runs. */
  up(): Promise<unknown>;
  output(): string;
  errors(): string;
  /** The lines that report a failure. */
  failures(): string[];
}

/** What `npm start` is run on, again and again: ports and a data folder that nobody else has. */
export interface LocalStack {
  ports: Record<(typeof portNames)[number], number>;
  /** The public port of the api, as nobody. */
  http: HttpClient;
  start(env?: Record<string, string>): Run;
  /** As the customer of the demo data. */
  logIn(): Promise<HttpClient>;
  /** Waits until there is a mail that says so. */
  mail(words: string): Promise<unknown>;
  workerProcess(): number;
  allPortsFree(): Promise<boolean>;
  /** Kills what still runs, and waits for the end of its servers. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export async function openLocalStack(): Promise<LocalStack> {
  const folder = await privateDirectory('stack');
  const found = await Promise.all(portNames.map(async (name) => [name, await freePort()] as const));
  const ports = Object.fromEntries(found) as LocalStack['ports'];
  const http = httpClient(`http://127.0.0.1:${ports.PORT}`);
  const runs: Run[] = [];
  const local = (...path: string[]): string => join(folder.path, 'local', ...path);

  const allPortsFree = async (): Promise<boolean> => {
    const free = await Promise.all(Object.values(ports).map((port) => isPortFree(port)));
    return !free.includes(false);
  };
  return {
    ports,
    http,
    start: (env = {}) => {
      const run = start({
        LOCAL_STACK_DIRECTORY: local(),
        ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
        ...env,
      });
      runs.push(run);
      return run;
    },
    logIn: async () => {
      const { status, body } = await http.post<{ accessToken: string }>('/v1/auth/login', account);
      if (status !== 200) throw new Error(`Login failed: ${status}`);
      return http.as(body.accessToken);
    },
    mail: (words) =>
      waitFor(
        () =>
          readdirSync(local('mail'))
            .filter((name) => name.endsWith('.eml'))
            .some((name) => readFileSync(local('mail', name), 'utf8').includes(words)),
        { within: 60_000, what: `a mail with "${words}"` },
      ),
    workerProcess: () => {
      const log = readFileSync(local('logs', 'worker.log'), 'utf8');
      const line = log.split('\n').find((text) => text.includes('"pid"')) ?? '{}';
      return (JSON.parse(line) as { pid: number }).pid;
    },
    allPortsFree,
    stop: async () => {
      for (const { child, exit } of runs.splice(0)) {
        child.kill('SIGKILL');
        await exit;
      }
      await waitFor(allPortsFree, { within: 60_000, what: 'the end of every child' });
    },
    close: () => folder.remove(),
  };
}

function start(env: Record<string, string>): Run {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, ['scripts/start.ts'], {
    cwd: repositoryRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH, HOME, ...env },
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => {
    output += String(chunk);
    errors += String(chunk);
  });
  const exit = new Promise<number | null>((resolve) => {
    child.once('close', (code) => resolve(code));
  });
  return {
    child,
    exit,
    output: () => output,
    errors: () => errors,
    failures: () => errors.split('\n').filter((line) => line.startsWith('✗')),
    up: () =>
      waitFor(
        () => {
          if (child.exitCode !== null) throw new Error(`it ended: ${output.slice(-2000)}`);
          return output.includes('is up after');
        },
        { within: 180_000, what: 'the local stack' },
      ),
  };
}

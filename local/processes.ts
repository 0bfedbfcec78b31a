import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { httpClient } from './http.ts';
import type { HttpClient } from './http.ts';
import { guardProcess, releaseProcess } from './servers/guard.ts';
import { freePort } from './servers/ports.ts';
import { localPath, repositoryRoot } from './servers/paths.ts';
import { ServerProcess } from './servers/server-process.ts';
import type { Exit } from './servers/server-process.ts';
import { waitFor } from './wait-for.ts';

export type Environment = Record<string, string | undefined>;

/** How the image runs Node (`ENV` in the Dockerfile): tests and bench run what is shipped. */
export const RUNTIME_ENV = { MALLOC_ARENA_MAX: '2' };

/** Further options of a worker: more frequent collections of its young generation do not delay requests. */
export const WORKER_FLAGS = '--max-semi-space-size=8';

/** A line of a process's log; lines that are not JSON are kept as `{ message }`. */
export interface LogRecord {
  level?: string;
  time?: string;
  message?: string;
  requestId?: string;
  [field: string]: unknown;
}

export interface AppOptions {
  /** In addition to the ports chosen here and `NODE_ENV=test`. */
  env: Environment;
  /** What to wait for: `ready` (default), `live`, or `none` to return as soon as it is spawned. */
  until?: 'ready' | 'live' | 'none';
  within?: number;
  /** Root of the built product, default `dist` of this checkout. */
  dist?: string;
  /** How long an orderly shutdown may take before SIGKILL. */
  stopWithinMs?: number;
  /** The signal that ends it when the process that started it has died. Default SIGKILL. */
  orphanSignal?: NodeJS.Signals;
  onLog?: (record: LogRecord, line: string) => void;
  /** File that gets the log instead; then `logs` stays empty and `onLog` is not called. For processes under load. */
  logFile?: string;
  onUnexpectedExit?: (reason: string) => void;
}

export interface AppProcess {
  name: string;
  readonly pid: number;
  readonly isRunning: boolean;
  managementPort: number;
  /** Client of the management port. */
  management: HttpClient;
  managementUrl: string;
  env: Environment;
  logs: LogRecord[];
  /** How the current incarnation ended. */
  readonly exited: Promise<Exit>;
  /** Sends a signal and returns at once. */
  signal(signal: NodeJS.Signals): void;
  /** Sends a signal, waits for the end (SIGKILL after `stopWithinMs`) and returns how it ended. */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
  kill(): Promise<Exit>;
  freeze(): void;
  thaw(): void;
  /**
   * Starts it again on the same ports, with `env` added to the former environment; it must have ended.
   * @param dist another build, for this start and later ones
   */
  startAgain(env?: Environment, options?: { dist?: string }): Promise<void>;
  /** The first log record, past or to come, that `matches`. */
  waitForLog(matches: (record: LogRecord) => boolean, within?: number): Promise<LogRecord>;
}

export interface ApiProcess extends AppProcess {
  port: number;
  url: string;
  /** Client of the public port. */
  http: HttpClient;
}

/** Starts the built api on free ports (or on PORT and MANAGEMENT_PORT of `env`). */
export async function startApi(options: AppOptions): Promise<ApiProcess> {
  const port = Number(options.env.PORT ?? (await freePort()));
  const app = await startApp('api', 'main.js', { ...options, env: { ...options.env, PORT: String(port) } });
  const url = `http://127.0.0.1:${port}`;
  // Getters of `app` must stay getters: a spread would freeze their values.
  return Object.assign(app, { port, url, http: httpClient(url) });
}

/** Starts the built worker; its only port is the management port. */
export function startWorker(options: AppOptions): Promise<AppProcess> {
  const NODE_OPTIONS = [WORKER_FLAGS, options.env.NODE_OPTIONS].filter(Boolean).join(' ');
  return startApp('worker', 'worker.js', { ...options, env: { ...options.env, NODE_OPTIONS } });
}

export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  dist?: string;
  timeoutMs?: number;
  /** How it is ended after `timeoutMs`. */
  killSignal?: NodeJS.Signals;
  /** Its standard output is closed from the beginning, as by `| head -0`. */
  unread?: boolean;
}

/** Runs a command of the built product, for example `runCli(['migrate'], env)`. */
export function runCli(
  args: string[],
  env: Environment,
  { dist = distDirectory(), timeoutMs = 60_000, killSignal = 'SIGTERM', unread = false }: CliOptions = {},
): Promise<CliResult> {
  return new Promise((resolve) => {
    const options = {
      env: completeEnvironment(env),
      cwd: workingDirectory(),
      timeout: timeoutMs,
      killSignal,
      maxBuffer: 64e6,
    };
    const { pid, stdout: output } = execFile(
      process.execPath,
      [join(dist, 'cli.js'), ...args],
      options,
      (error, stdout, stderr) => {
        if (pid) releaseProcess(pid);
        const code = typeof error?.code === 'number' ? error.code : error ? 1 : 0;
        resolve({ code, stdout, stderr });
      },
    );
    if (pid) guardProcess({ pid, signal: 'SIGKILL', withinMs: 1_000 });
    if (unread) output?.destroy();
  });
}

async function startApp(name: string, entry: string, options: AppOptions): Promise<AppProcess> {
  const managementPort = Number(options.env.MANAGEMENT_PORT ?? (await freePort()));
  const managementUrl = `http://127.0.0.1:${managementPort}`;
  const management = httpClient(managementUrl);
  const logs: LogRecord[] = [];
  const fileOf = (dist = distDirectory()): string => {
    const path = join(dist, entry);
    if (!existsSync(path)) throw new Error(`${path} is missing: run npm run build first`);
    return path;
  };
  let file = fileOf(options.dist);

  let env: Environment = {
    HOST: '127.0.0.1',
    MANAGEMENT_HOST: '127.0.0.1',
    ...options.env,
    MANAGEMENT_PORT: String(managementPort),
  };
  const probe = options.until === 'live' ? '/health/live' : '/health/ready';
  const make = (): ServerProcess =>
    new ServerProcess({
      name,
      command: process.execPath,
      args: [file],
      env: completeEnvironment(env),
      cwd: workingDirectory(),
      isReady: async () => {
        if (options.until === 'none') return true;
        const answer = await management.get(probe, { timeoutMs: 1_000 }).catch(() => undefined);
        return answer?.status === 200;
      },
      readyWithinMs: options.within ?? 30_000,
      stopWithinMs: options.stopWithinMs ?? 35_000,
      orphanSignal: options.orphanSignal,
      outputFile: options.logFile,
      onLine: (line) => {
        const record = parseLine(line);
        logs.push(record);
        options.onLog?.(record, line);
      },
      onUnexpectedExit: options.onUnexpectedExit,
    });
  let server = make();
  await server.start();
  return {
    name,
    managementPort,
    managementUrl,
    management,
    logs,
    get env() {
      return env;
    },
    get pid() {
      return server.pid;
    },
    get isRunning() {
      return server.isRunning;
    },
    get exited() {
      return server.exited;
    },
    signal: (signal) => server.signal(signal),
    stop: (signal) => server.stop(signal),
    kill: () => server.kill(),
    freeze: () => server.freeze(),
    thaw: () => server.thaw(),
    startAgain: async (more = {}, { dist } = {}) => {
      if (server.isRunning) throw new Error(`${name} is still running`);
      env = { ...env, ...more };
      if (dist) file = fileOf(dist);
      server = make();
      await server.start();
    },
    waitForLog: (matches, within = 30_000) =>
      waitFor(() => logs.find(matches), { within, what: `a log record of the ${name}` }),
  };
}

export function parseLine(line: string): LogRecord {
  if (!line.startsWith('{')) return { message: line };
  try {
    return JSON.parse(line) as LogRecord;
  } catch {
    return { message: line };
  }
}

function distDirectory(): string {
  return join(repositoryRoot, 'dist');
}

/** A folder without a `.env` file: a developer's own settings must not leak into a test. */
function workingDirectory(): string {
  const folder = localPath('run');
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Of the caller's environment only what any program needs: a test states what it depends on. */
function completeEnvironment(env: Environment): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, TMPDIR, NODE_ENV: 'test', ...RUNTIME_ENV, ...env };
}

import type { WriteStream } from 'node:fs';
import { join } from 'node:path';
// only: payments
import { startSandboxProcess } from '../../local/outside-services.ts';
// end
// only: notifications
import { startSinkProcess } from '../../local/outside-services.ts';
// end
import { runCli, startApi, startWorker } from '../../local/processes.ts';
import type { AppOptions, AppProcess, Environment, LogRecord } from '../../local/processes.ts';
import { freePort } from '../../local/servers/ports.ts';
import { localPath, repositoryRoot } from '../../local/servers/paths.ts';
import { startPostgres } from '../../local/servers/postgres.ts';
import { startRedis } from '../../local/servers/redis.ts';
import { localSecrets } from './local-secrets.ts';
import { openLog, readable, withReason } from './log-view.ts';
import { isGiven, stackPath, supportingPort } from './settings.ts';
import type { LocalPorts } from './settings.ts';
import { say, StartFailure, step } from './terminal.ts';

/** What is printed about a supporting server that runs. */
export interface Supporting {
  databaseUrl?: string;
  redisUrl?: string;
  // only: payments
  sandboxUrl?: string;
  // end
  // only: notifications
  mailDirectory?: string;
  // end
}

/** A process of the product, which may be wrong and be started again, or something it stands on. */
export type Part = 'app' | 'server';

/**
 * The parts of the local stack, in the order they depend on each other. What a variable such as DATABASE_URL names is used
 * as it is and not started.
 */
export class LocalStack {
  private readonly ports: LocalPorts;
  private readonly onDeath: (message: string, part: Part) => void;
  private readonly servers: { stop(): Promise<unknown> }[] = [];
  /** What stands for services outside: ended before the servers. */
  private readonly outside: { stop(): Promise<unknown> }[] = [];
  private readonly logs: WriteStream[] = [];
  private apps: AppProcess[] = [];
  private appLogs = new Map<string, WriteStream>();
  private stopping = false;
  readonly env: Environment;
  readonly supporting: Supporting = {};

  /** @param onDeath told in words when a part ends that nobody ended. */
  constructor(ports: LocalPorts, onDeath: (message: string, part: Part) => void) {
    this.ports = ports;
    this.onDeath = onDeath;
    const given = Object.entries(process.env).filter(
      ([name]) => !/^(npm_|NODE_OPTIONS$|NODE_V8_)/.test(name),
    );
    const secrets = Object.entries(localSecrets()).filter(([name]) => !isGiven(name));
    this.env = {
      NODE_ENV: 'development',
      // Nobody takes notice of a local api going away, so there is nothing to drain for.
      SHUTDOWN_DRAIN_DELAY_MS: '0',
      SHUTDOWN_TIMEOUT_MS: '6000',
      // Half of a start is compiling the same modules again.
      NODE_COMPILE_CACHE: localPath('cache', 'compile'),
      // only: pictures
      STORAGE_DIRECTORY: stackPath('objects'),
      // end
      ...Object.fromEntries(secrets),
      ...Object.fromEntries(given),
    };
  }

  /** PostgreSQL, Redis, and what stands for the services outside, all at once. */
  async startServers(): Promise<void> {
    const results = await Promise.allSettled([
      isGiven('DATABASE_URL') ? undefined : this.startDatabase(),
      isGiven('REDIS_URL') ? undefined : this.startRedis(),
      // only: payments
      isGiven('PAYMENT_PROVIDER_URL') ? undefined : this.startSandbox(),
      // end
      // only: notifications
      isGiven('SMTP_URL') ? undefined : this.startSink(),
      // end
    ]);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** A command of the built product, on this stack. */
  async cli(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await runCli(args, this.env);
    if (code === 0) return stdout.trim();
    const said = stderr.trim() || stdout.trim();
    throw new StartFailure(said === '' ? `cli ${args.join(' ')} failed` : said);
  }

  /** @param announce how the start of each is told */
  async startApps(announce: typeof step = step): Promise<void> {
    const { api, management, workerManagement } = this.ports;
    const results = await Promise.allSettled([
      announce('api', () =>
        this.startApp('api', startApi, { PORT: String(api), MANAGEMENT_PORT: String(management) }),
      ),
      announce('worker', () =>
        this.startApp('worker', startWorker, { MANAGEMENT_PORT: String(workerManagement) }),
      ),
    ]);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  async stopApps(): Promise<void> {
    const apps = this.apps;
    this.apps = [];
    await Promise.all(apps.map((app) => app.stop()));
  }

  /** Ends everything: first those who use the servers, then the servers. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.stopApps();
    await Promise.all(this.outside.map((server) => server.stop()));
    await Promise.all(this.servers.map((server) => server.stop()));
    for (const log of this.logs) log.end();
  }

  /** Ends everything with SIGKILL, except what keeps data: the guard ends that in order. */
  async kill(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.apps.map((app) => app.kill()));
  }

  private async startDatabase(): Promise<void> {
    const port = await supportingPort('LOCAL_POSTGRES_PORT', 15_432, freePort);
    const log = this.log('postgres');
    const postgres = await step(
      'PostgreSQL 18',
      () =>
        startPostgres({
          dataDir: stackPath('postgres'),
          port,
          onLine: (line) => log.write(`${line}\n`),
          onUnexpectedExit: this.death('PostgreSQL', 'postgres'),
        }),
      () => `127.0.0.1:${port}`,
    );
    this.servers.push(postgres);
    this.env.DATABASE_URL = postgres.url();
    this.supporting.databaseUrl = postgres.url();
  }

  private async startRedis(): Promise<void> {
    const port = await supportingPort('LOCAL_REDIS_PORT', 16_379, freePort);
    const log = this.log('redis');
    const redis = await step(
      'Redis',
      () =>
        startRedis({
          dataDir: stackPath('redis'),
          port,
          onProgress: (message) => say(`  ${message} …`),
          onLine: (line) => log.write(`${line}\n`),
          onUnexpectedExit: this.death('Redis', 'redis'),
        }),
      () => `127.0.0.1:${port}`,
    );
    this.servers.push(redis);
    this.env.REDIS_URL = redis.url();
    this.supporting.redisUrl = redis.url();
  }

  // only: payments
  private async startSandbox(): Promise<void> {
    const port = await supportingPort('LOCAL_SANDBOX_PORT', 4010, freePort);
    const log = this.log('payment-sandbox');
    const sandbox = await step(
      'Payment provider sandbox',
      () =>
        startSandboxProcess({
          port,
          apiKey: this.env.PAYMENT_PROVIDER_API_KEY,
          webhookSecret: this.env.PAYMENT_WEBHOOK_SECRET,
          webhookUrl: `http://127.0.0.1:${this.ports.api}/v1/webhooks/payments`,
          stateFile: stackPath('payment-sandbox.jsonl'),
          onLine: (line) => log.write(`${line}\n`),
          onUnexpectedExit: this.death('The payment sandbox', 'payment-sandbox'),
        }),
      () => `127.0.0.1:${port}`,
    );
    this.outside.push(sandbox);
    this.env.PAYMENT_PROVIDER_URL = sandbox.url;
    this.supporting.sandboxUrl = sandbox.url;
  }
  // end

  // only: notifications
  private async startSink(): Promise<void> {
    const port = await supportingPort('LOCAL_SMTP_PORT', 1025, freePort);
    const controlPort = await supportingPort('LOCAL_SMTP_CONTROL_PORT', 8025, freePort);
    const directory = stackPath('mail');
    const log = this.log('smtp-sink');
    const sink = await step(
      'SMTP sink',
      () =>
        startSinkProcess({
          port,
          controlPort,
          directory,
          onLine: (line) => log.write(`${line}\n`),
          onUnexpectedExit: this.death('The SMTP sink', 'smtp-sink'),
        }),
      () => `127.0.0.1:${port}`,
    );
    this.outside.push(sink);
    this.env.SMTP_URL = sink.url;
    this.supporting.mailDirectory = directory;
  }
  // end

  private async startApp(
    name: string,
    start: (options: AppOptions) => Promise<AppProcess>,
    ports: Environment,
  ): Promise<void> {
    const log = this.appLogs.get(name) ?? this.log(name);
    this.appLogs.set(name, log);
    const records: LogRecord[] = [];
    let ready = false;
    try {
      const app = await start({
        env: { ...this.env, ...ports },
        stopWithinMs: 7_000,
        orphanSignal: 'SIGTERM',
        onUnexpectedExit: this.death(`The ${name}`, name, 'app'),
        onLog: (record, line) => {
          log.write(`${line}\n`);
          // Until it is ready its last words are told by the failure, once.
          if (!ready) records.push(record);
          const text = readable(name, record);
          if (text && (ready || record.level !== 'fatal')) say(text);
        },
      });
      ready = true;
      this.apps.push(app);
    } catch (error) {
      const fatal = records.findLast((record) => record.level === 'fatal');
      const plain = records.filter((record) => record.level === undefined).map((record) => record.message);
      const reason = fatal
        ? withReason(fatal)
        : plain.length > 0
          ? plain.join('\n')
          : (error as Error).message;
      throw new StartFailure(`The ${name} did not start: ${reason}`, { cause: error });
    }
  }

  private log(name: string): WriteStream {
    const log = openLog(stackPath('logs', `${name}.log`));
    this.logs.push(log);
    return log;
  }

  private death(name: string, log: string, part: Part = 'server'): (reason: string) => void {
    return (reason) => {
      if (this.stopping) return;
      this.onDeath(
        `${name} ended unexpectedly (${reason.slice(0, 300)}): see ${shownPath(stackPath('logs', `${log}.log`))}`,
        part,
      );
    };
  }
}

/** How a path is shown to a person who stands in the checkout. */
export function shownPath(path: string): string {
  const inside = join(repositoryRoot, '/');
  return path.startsWith(inside) ? path.slice(inside.length) : path;
}

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { startSandboxProcess, startSinkProcess } from './outside-services.ts';
import type { SandboxProcess, SinkProcess } from './outside-services.ts';
import { runCli, startApi, startWorker } from './processes.ts';
import type { ApiProcess, AppOptions, AppProcess, CliOptions, CliResult, Environment } from './processes.ts';
import { startPostgres } from './servers/postgres.ts';
import type { PostgresServer } from './servers/postgres.ts';
import { privateDirectory, type PrivateDirectory } from './servers/private-directory.ts';
import { startRedis } from './servers/redis.ts';
import type { RedisServer } from './servers/redis.ts';

/** All servers that the built product needs, private to one test file or one run of a tool, each a real process. */
export interface TestStack {
  postgres: PostgresServer;
  redis: RedisServer;
  sandbox: SandboxProcess;
  sink: SinkProcess;
  /** The environment of every process of the product. */
  env: Environment;
  /** Starts an api with `env` added to the stack's; the first one also receives the payment webhooks. */
  api(env?: Environment, options?: Omit<AppOptions, 'env'>): Promise<ApiProcess>;
  worker(env?: Environment, options?: Omit<AppOptions, 'env'>): Promise<AppProcess>;
  cli(args: string[], env?: Environment, options?: Omit<CliOptions, 'dist'>): Promise<CliResult>;
  /** Ends everything, whatever state it is in. */
  stop(): Promise<void>;
}

export interface TestStackOptions {
  /** In addition to the defaults below, for every process. */
  env?: Environment;
  postgresSettings?: Record<string, string | number>;
  /** Where PostgreSQL keeps its data. Default: a private directory. */
  postgresDirectory?: PrivateDirectory;
  /** Every line of the log of PostgreSQL. */
  onPostgresLog?: (line: string) => void;
  /** Default true: the schema exists. */
  migrate?: boolean;
  /** How long a slow charge takes. */
  slowMs?: number;
  onLog?: AppOptions['onLog'];
  /** Root of the built product; default `dist` of this checkout. */
  dist?: string;
  /** What another product than the shop needs of the environment; it gets no webhooks. */
  settings?: (env: Environment) => Environment;
}

/** Starts private servers for the built product (`npm run build` first) and migrates an empty database. */
export async function startTestStack(options: TestStackOptions = {}): Promise<TestStack> {
  const apiKey = randomBytes(24).toString('hex');
  const webhookSecret = `whsec_${randomBytes(24).toString('base64')}`;
  const started: { stop(): Promise<unknown> }[] = [];
  const keep = async <T extends { stop(): Promise<unknown> }>(starting: Promise<T>): Promise<T> => {
    const server = await starting;
    started.push(server);
    return server;
  };
  const apps: AppProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(apps.map((app) => app.kill()));
    await Promise.all(started.map((server) => server.stop()));
  };
  try {
    const books = await privateDirectory('charges');
    started.push({ stop: () => books.remove() });
    const stateFile = join(books.path, 'charges.jsonl');
    const [postgres, redis, sandbox, sink] = await settled([
      keep(
        startPostgres({
          directory: options.postgresDirectory,
          settings: options.postgresSettings,
          onLine: options.onPostgresLog,
        }),
      ),
      keep(startRedis()),
      keep(startSandboxProcess({ apiKey, webhookSecret, slowMs: options.slowMs, stateFile })),
      keep(startSinkProcess()),
    ]);
    const env: Environment = {
      NODE_ENV: 'test',
      DATABASE_URL: postgres.url(),
      REDIS_URL: redis.url(),
      PAYMENT_PROVIDER_URL: sandbox.url,
      PAYMENT_PROVIDER_API_KEY: apiKey,
      PAYMENT_WEBHOOK_SECRET: webhookSecret,
      AUTH_TOKEN_SECRET: randomBytes(32).toString('hex'),
      SMTP_URL: sink.url,
      // only: pictures
      // Production does not start without one; tests of files start theirs.
      STORAGE_URL: 'https://127.0.0.1:9/bucket',
      STORAGE_ACCESS_KEY_ID: randomBytes(12).toString('hex'),
      STORAGE_SECRET_ACCESS_KEY: randomBytes(24).toString('hex'),
      // end
      RATE_LIMIT_ENABLED: 'false',
      SHUTDOWN_DRAIN_DELAY_MS: '0',
    };
    Object.assign(env, options.settings?.(env), options.env);
    const cli: TestStack['cli'] = (args, more = {}, cliOptions = {}) =>
      runCli(args, { ...env, ...more }, { ...cliOptions, dist: options.dist });
    if (options.migrate ?? true) {
      const { code, stdout, stderr } = await cli(['migrate']);
      if (code !== 0) throw new Error(`cli migrate failed: ${stdout}${stderr}`);
    }
    const { dist, onLog } = options;
    let webhooksGoSomewhere = options.settings !== undefined;
    return {
      postgres,
      redis,
      sandbox,
      sink,
      env,
      cli,
      stop,
      api: async (more = {}, appOptions = {}) => {
        const api = await startApi({ dist, onLog, ...appOptions, env: { ...env, ...more } });
        apps.push(api);
        if (!webhooksGoSomewhere) await sandbox.sendWebhooksTo(`${api.url}/v1/webhooks/payments`);
        webhooksGoSomewhere = true;
        return api;
      },
      worker: async (more = {}, appOptions = {}) => {
        const worker = await startWorker({ dist, onLog, ...appOptions, env: { ...env, ...more } });
        apps.push(worker);
        return worker;
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Like Promise.all, but waits for all of them even when one fails: every started server must be known, to be stopped. */
async function settled<T extends readonly unknown[]>(work: {
  [K in keyof T]: Promise<T[K]>;
}): Promise<T> {
  const results = await Promise.allSettled(work);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return results.map((result) => (result as PromiseFulfilledResult<unknown>).value) as unknown as T;
}

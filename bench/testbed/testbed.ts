import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { privateDirectory, repositoryRoot } from '../../local/servers/index.ts';
import { startTestStack } from '../../local/stack.ts';
import type { Subject } from '../subject.ts';
import { startReference } from './reference.ts';
import type { Reference } from './reference.ts';
import { AccessTokens, TOKEN_LIFE_SECONDS } from './tokens.ts';

type PrivateDirectory = Awaited<ReturnType<typeof privateDirectory>>;
type TestStack = Awaited<ReturnType<typeof startTestStack>>;
type ApiProcess = Awaited<ReturnType<TestStack['api']>>;
type WorkerProcess = Awaited<ReturnType<TestStack['worker']>>;
type Environment = Record<string, string | undefined>;

export interface TestbedOptions {
  /**
   * Requests per minute and caller. Default: the shipped limit, below which only workloads with thousands of callers stay; those
   * whose callers have no account and share one address need more.
   */
  rateLimit?: number;
  /** Added to the shipped settings, for every process of Holdfast. */
  env?: Environment;
  postgresSettings?: Record<string, string | number>;
}

/** More requests than this machine can send in a minute. */
export const NO_PRACTICAL_LIMIT = 100_000_000;

/** Private servers for one workload, with the built product in production mode on them. */
export class Testbed {
  readonly stack: TestStack;
  /** As the superuser: may skip checks of foreign keys when it fills tables. */
  readonly sql: pg.Client;
  readonly tokens: AccessTokens;
  /** What is measured, built. */
  readonly dist: string;
  /** Receives the traces of every process of Holdfast. */
  private readonly collector: Reference;
  private readonly profileInto: string | undefined;
  private readonly apps: (ApiProcess | WorkerProcess)[] = [];
  private readonly references: Reference[] = [];
  private readonly closers: (() => Promise<unknown>)[] = [];
  private readonly folder: PrivateDirectory;

  private constructor(
    stack: TestStack,
    dist: string,
    sql: pg.Client,
    collector: Reference,
    folder: PrivateDirectory,
    profileInto?: string,
  ) {
    this.stack = stack;
    this.dist = dist;
    this.sql = sql;
    this.collector = collector;
    this.folder = folder;
    this.profileInto = profileInto;
    this.tokens = new AccessTokens(String(stack.env.AUTH_TOKEN_SECRET));
  }

  /** For files of this run; removed with it. */
  get directory(): string {
    return this.folder.path;
  }

  static async open(
    subject: Subject,
    { rateLimit, env, postgresSettings }: TestbedOptions,
    profileInto?: string,
  ): Promise<Testbed> {
    const dist = (await subject.build?.()) ?? join(repositoryRoot, 'dist');
    const folder = await privateDirectory('bench');
    const collector = await startReference('testbed/collector.ts', { env: {}, readyPath: '/received' });
    const stack = await startTestStack({
      env: {
        NODE_ENV: 'production',
        // The servers of a bench are on this machine, as is the one address that all its callers share.
        PLAINTEXT_CONNECTIONS: ['DATABASE_URL', 'REDIS_URL', ...subject.plaintext].join(','),
        // A token that is valid for much longer than those of the api is rejected.
        AUTH_ACCESS_TOKEN_TTL_SECONDS: String(TOKEN_LIFE_SECONDS),
        RATE_LIMIT_CALLERS_PER_NETWORK: '100000',
        RATE_LIMIT_ENABLED: 'true',
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        ...(rateLimit === undefined ? {} : { RATE_LIMIT_REQUESTS: String(rateLimit) }),
        ...env,
      },
      // Lets `assertSame` see the statements of both sides; nothing is tracked during measurements.
      postgresSettings: { shared_preload_libraries: 'pg_stat_statements', ...postgresSettings },
      dist,
      settings: subject.settings,
    });
    const sql = new pg.Client({ connectionString: stack.postgres.adminUrl('holdfast') });
    try {
      await sql.connect();
      await sql.query(`ALTER SYSTEM SET pg_stat_statements.track = 'none'`);
      await sql.query('SELECT pg_reload_conf()');
    } catch (error) {
      await stack.stop();
      throw error;
    }
    return new Testbed(stack, dist, sql, collector, folder, profileInto);
  }

  /** Starts an api; its access log goes to a file, as it would in production. */
  async api(env: Environment = {}, name = 'holdfast-api'): Promise<ApiProcess> {
    const api = await this.stack.api({ ...env, ...this.profiling(name) }, this.processOptions(name));
    this.apps.push(api);
    return api;
  }

  async worker(env: Environment = {}, name = 'holdfast-worker'): Promise<WorkerProcess> {
    const worker = await this.stack.worker({ ...env, ...this.profiling(name) }, this.processOptions(name));
    this.apps.push(worker);
    return worker;
  }

  /** Starts a reference of `bench/`, in the same environment as the product. */
  async reference(file: string, env: Environment = {}): Promise<Reference> {
    return this.keep(
      await startReference(file, {
        env: {
          ...this.stack.env,
          ...env,
          ...this.profiling(file.replace(/[^a-z]+/g, '-').replace(/-ts$/, '')),
        },
      }),
    );
  }

  /** Starts a worker of the product with an additional feature, from a file of `bench/`. */
  async extendedWorker(file: string, env: Environment = {}, name = 'holdfast-worker'): Promise<Reference> {
    return this.keep(
      await startReference(file, {
        env: {
          MANAGEMENT_HOST: '127.0.0.1',
          BENCH_DIST: this.dist,
          ...this.stack.env,
          ...env,
          ...this.profiling(name),
        },
        portVariable: 'MANAGEMENT_PORT',
        readyPath: '/health/ready',
        ...this.processOptions(name),
      }),
    );
  }

  /** Deletes a queue's jobs, and everything else that Redis keeps under its key. */
  async forgetQueue(key: string): Promise<void> {
    const redis = new Redis(this.stack.redis.url());
    try {
      let cursor = '0';
      do {
        const [next, keys] = await redis.scan(cursor, 'MATCH', `${key}:*`, 'COUNT', 10_000);
        if (keys.length > 0) await redis.unlink(...keys);
        cursor = next;
      } while (cursor !== '0');
    } finally {
      redis.disconnect();
    }
  }

  /** What the collector has received so far. */
  async tracesReceived(): Promise<{ exports: number; bytes: number }> {
    const response = await fetch(`${this.collector.url}/received`);
    return (await response.json()) as { exports: number; bytes: number };
  }

  /** Ends a process that the workload has started by itself, before its servers end. */
  onClose(close: () => Promise<unknown>): void {
    this.closers.unshift(close);
  }

  async close(): Promise<void> {
    // A profile is written by a process that ends by itself.
    if (this.profileInto)
      await Promise.all(this.apps.filter((app) => app.isRunning).map((app) => app.stop()));
    for (const close of this.closers) await close();
    await Promise.all(this.references.map((reference) => reference.stop()));
    await this.sql.end();
    await this.stack.stop();
    await this.collector.stop();
    await this.folder.remove();
  }

  private keep(reference: Reference): Reference {
    this.references.push(reference);
    return reference;
  }

  private processOptions(name: string): { logFile: string } {
    return { logFile: join(this.directory, `${name}-${randomUUID()}.log`) };
  }

  private profiling(name: string): Environment {
    if (this.profileInto === undefined) return {};
    const folder = join(this.profileInto, name);
    mkdirSync(folder, { recursive: true });
    return { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${folder}` };
  }
}

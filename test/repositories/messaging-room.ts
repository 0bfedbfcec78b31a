import {
  Module,
  type DynamicModule,
  type INestApplicationContext,
  type LoggerService,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SettingsModule, loadSettings, type Settings } from '../../src/config/index.js';
import { PRODUCT } from '../../src/product.js';
import { Database, DatabaseModule, Migrator, UnitOfWork } from '../../src/platform/database/index.js';
import { HealthModule, HealthRegistry } from '../../src/platform/health/index.js';
import {
  defineEvent,
  MessagingModule,
  MessagingRuntime,
  Outbox,
  type EventDefinition,
  type MessagingRole,
} from '../../src/platform/messaging/index.js';
import { RedisModule } from '../../src/platform/redis/index.js';
import { ResilienceModule } from '../../src/platform/resilience/resilience.module.js';
import {
  startPostgres,
  startRedis,
  type PostgresServer,
  type RedisServer,
} from '../../local/servers/index.js';

export interface Parcel {
  number: number;
}

export const parcelSent = defineEvent<Parcel>('parcel.sent', { consumers: ['post'] });

/** A process with messaging in it. */
export interface MessagingProcess {
  app: INestApplicationContext;
  database: Database;
  unitOfWork: UnitOfWork;
  outbox: Outbox;
  health: HealthRegistry;
  /** Worker only. */
  runtime: MessagingRuntime;
  /** Announces parcels, each in a unit of work of its own. @returns the events' ids */
  send(from: number, to: number): Promise<string[]>;
  close(): Promise<void>;
}

export interface ProcessOptions {
  role?: MessagingRole;
  events?: EventDefinition[];
  queues?: string[];
  retiredSchedules?: { name: string; queue: string }[];
  providers?: Type[];
  /** Features. */
  imports?: (Type | DynamicModule)[];
  env?: Record<string, string>;
  /** Default true: a worker begins to work at once. */
  start?: boolean;
  logger?: LoggerService;
}

/** Private servers with a migrated database, and processes on them. */
export interface MessagingRoom {
  postgres: PostgresServer;
  redis: RedisServer;
  process(options?: ProcessOptions): Promise<MessagingProcess>;
  close(): Promise<void>;
}

/** Fast enough for tests, without making anything a special case. */
const ENVIRONMENT = {
  NODE_ENV: 'test',
  OUTBOX_POLL_INTERVAL_MS: '10',
  JOB_BACKOFF_MS: '20',
  JOB_BACKOFF_MAX_MS: '100',
  // What is tested here is not how long a busy machine takes.
  DATABASE_ACQUIRE_TIMEOUT_MS: '10000',
  DATABASE_QUERY_TIMEOUT_MS: '10000',
  DATABASE_STATEMENT_TIMEOUT_MS: '9000',
  DATABASE_LOCK_TIMEOUT_MS: '8000',
};

export async function openMessagingRoom(): Promise<MessagingRoom> {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  const environment = { ...ENVIRONMENT, DATABASE_URL: postgres.url(), REDIS_URL: redis.url() };
  const migrator = await Migrator.open(loadSettings(environment, PRODUCT).database);
  try {
    await migrator.migrate();
  } finally {
    await migrator.close();
  }
  const open = new Set<MessagingProcess>();
  return {
    postgres,
    redis,
    process: async (options = {}) => {
      const started = await startProcess(loadSettings({ ...environment, ...options.env }, PRODUCT), options);
      const process = {
        ...started,
        close: async () => {
          open.delete(process);
          await started.close();
        },
      };
      open.add(process);
      return process;
    },
    close: async () => {
      await Promise.all([...open].map((process) => process.close()));
      await Promise.all([postgres.stop(), redis.stop()]);
    },
  };
}

async function startProcess(settings: Settings, options: ProcessOptions): Promise<MessagingProcess> {
  const { role = 'worker', events = [parcelSent], queues = ['post'], start = true } = options;
  const { providers = [], imports = [] } = options;
  const { retiredSchedules } = options;

  const health = new HealthRegistry();

  @Module({
    imports: [
      SettingsModule.forRoot(settings),
      HealthModule.forRoot(health),
      ResilienceModule.forRoot(),
      RedisModule,
      DatabaseModule.forRoot('messaging-spec'),
      MessagingModule.forRoot({ role }),
      MessagingModule.forFeature({ events, queues, retiredSchedules }),
      ...imports,
    ],
    providers,
  })
  class ProcessModule {}

  const app = await NestFactory.createApplicationContext(ProcessModule, {
    logger: options.logger ?? false,
    abortOnError: false,
  });
  const database = app.get(Database);
  const unitOfWork = app.get(UnitOfWork);
  const outbox = app.get(Outbox);
  const runtime = role === 'worker' ? app.get(MessagingRuntime) : (undefined as never);
  try {
    if (role === 'worker' && start) runtime.start();
  } catch (error) {
    await app.close();
    throw error;
  }
  return {
    app,
    database,
    unitOfWork,
    outbox,
    health,
    runtime,
    send: async (from, to) => {
      const ids: string[] = [];
      for (let number = from; number <= to; number += 1) {
        ids.push(await unitOfWork.run(() => outbox.announce(parcelSent, { number })));
      }
      return ids;
    },
    close: () => app.close(),
  };
}

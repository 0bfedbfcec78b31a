import type { AddressInfo } from 'node:net';
import type { Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import pino from 'pino';
import { createApi } from '../../src/api.app.js';
import { loadSettings, type Product, type Settings } from '../../src/config/index.js';
import { PRODUCT } from '../../src/product.js';
import { Database, Migrator } from '../../src/platform/database/index.js';
import { HealthRegistry } from '../../src/platform/health/index.js';
import { MessagingRuntime } from '../../src/platform/messaging/index.js';
import { createProcessLog } from '../../src/platform/observability/index.js';
import { createWorker } from '../../src/worker.app.js';
import { httpClient, type HttpClient } from '../../local/http.js';
import { startPaymentSandbox, type PaymentSandbox } from '../../local/payment-sandbox.js';
import { startPostgres, type PostgresServer } from '../../local/servers/postgres.js';
import { startRedis, type RedisServer } from '../../local/servers/redis.js';
import { startSmtpSink, type SmtpSink } from '../../local/smtp-sink.js';
import { PATIENT_PROCESS } from '../support/patience.js';

/** The product in this process, over HTTP, on servers of its own: for tests of what all of it does together. */
export interface ProductUnderTest {
  url: string;
  http: HttpClient;
  settings: Settings;
  api: NestFastifyApplication;
  database: Database;
  /** Rows of a statement, as one connection of the api has them. */
  sql<T>(text: string, values?: unknown[]): Promise<T[]>;
  postgres: PostgresServer;
  redis: RedisServer;
  sandbox: PaymentSandbox;
  sink: SmtpSink;
  /** Nothing happens in the background before; a second call changes nothing. */
  startWorker(): Promise<void>;
  /** Another instance of the api, with the same servers. @returns its address */
  anotherApi(): Promise<string>;
  stop(): Promise<void>;
}

/** Another product on the same platform. */
export interface OtherProduct {
  product: Product;
  features: Type[];
  /** Makes its tables, after the migrations of the repository. */
  migrate(databaseUrl: string): Promise<void>;
}

/**
 * @param env settings, as environment variables
 * @param other what to start instead of the product of this repository
 */
export async function startProduct(
  env: Record<string, string> = {},
  other?: OtherProduct,
): Promise<ProductUnderTest> {
  const [postgres, redis, sandbox, sink] = await Promise.all([
    startPostgres(),
    startRedis(),
    startPaymentSandbox(),
    startSmtpSink(),
  ]);
  const settings = loadSettings(
    {
      NODE_ENV: 'test',
      LOG_LEVEL: 'error',
      HOST: '127.0.0.1',
      PORT: '0',
      MANAGEMENT_PORT: '0',
      DATABASE_URL: postgres.url(),
      REDIS_URL: redis.url(),
      PAYMENT_PROVIDER_URL: sandbox.url,
      PAYMENT_PROVIDER_TIMEOUT_MS: '20000',
      BANK_URL: sandbox.url,
      BANK_TIMEOUT_MS: '20000',
      SMTP_URL: sink.url,
      // On, as the limit on failed logins goes with it, but out of the way.
      RATE_LIMIT_REQUESTS: '1000000',
      AUTH_REGISTRATIONS_PER_NETWORK: '1000000',
      ...PATIENT_PROCESS,
      ...env,
    },
    other?.product ?? PRODUCT,
  );
  const migrator = await Migrator.open(settings.database);
  try {
    await migrator.migrate();
  } finally {
    await migrator.close();
  }
  await other?.migrate(postgres.url());
  const log = (name: string) => createProcessLog(settings, name, pino.destination(2));
  const apis: NestFastifyApplication[] = [];
  const startApi = async (): Promise<NestFastifyApplication> => {
    const started = await createApi(settings, log('api'), new HealthRegistry(), undefined, other?.features);
    apis.push(started);
    await started.listen(0, '127.0.0.1');
    return started;
  };
  const api = await startApi();
  let stopWorker = async (): Promise<void> => undefined;
  let started = false;
  const startWorker = async (): Promise<void> => {
    if (started) return;
    started = true;
    const worker = await createWorker(
      settings,
      log('worker'),
      new HealthRegistry(),
      undefined,
      other?.features,
    );
    const messaging = worker.get(MessagingRuntime);
    messaging.start();
    stopWorker = async () => {
      messaging.stopTaking();
      await messaging.drain(5000);
      await messaging.close();
      await worker.close();
    };
  };
  const url = `http://127.0.0.1:${(api.getHttpServer().address() as AddressInfo).port}`;
  const database = api.get(Database);
  return {
    url,
    http: httpClient(url),
    settings,
    api,
    database,
    sql: (text, values) => database.query({ text, values }),
    postgres,
    redis,
    sandbox,
    sink,
    startWorker,
    anotherApi: async () => (await startApi()).getUrl(),
    stop: async () => {
      await stopWorker();
      await Promise.all(apis.map((started) => started.close()));
      await Promise.all([sandbox.stop(), sink.stop(), postgres.stop(), redis.stop()]);
    },
  };
}

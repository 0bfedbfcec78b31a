import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import pino from 'pino';
import { createApi } from '../../src/api.app.js';
import { loadSettings, type Settings } from '../../src/config/index.js';
import { PRODUCT } from '../../src/product.js';
import { Database, Migrator } from '../../src/platform/database/index.js';
import { MessagingRuntime } from '../../src/platform/messaging/index.js';
import { createProcessLog } from '../../src/platform/observability/index.js';
import { createWorker } from '../../src/worker.app.js';
import { httpClient, type HttpClient } from '../../local/http.js';
import { startPaymentSandbox, type PaymentSandbox } from '../../local/payment-sandbox.js';
import { startPostgres } from '../../local/servers/postgres.js';
import { startRedis } from '../../local/servers/redis.js';
import { startSmtpSink, type SmtpSink } from '../../local/smtp-sink.js';
import { PATIENT_DATABASE } from '../support/patience.js';

/** The product in this process, over HTTP, on servers of its own: for tests of what all of it does together. */
export interface ProductUnderTest {
  url: string;
  http: HttpClient;
  settings: Settings;
  api: NestFastifyApplication;
  database: Database;
  sandbox: PaymentSandbox;
  sink: SmtpSink;
  /** Nothing happens in the background before. */
  startWorker(): Promise<void>;
  stop(): Promise<void>;
}

/** @param env settings, as environment variables */
export async function startProduct(env: Record<string, string> = {}): Promise<ProductUnderTest> {
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
      SMTP_URL: sink.url,
      // On, as the limit on failed logins goes with it, but out of the way.
      RATE_LIMIT_REQUESTS: '1000000',
      AUTH_REGISTRATIONS_PER_NETWORK: '1000000',
      ...PATIENT_DATABASE,
      ...env,
    },
    PRODUCT,
  );
  const migrator = await Migrator.open(settings.database);
  try {
    await migrator.migrate();
  } finally {
    await migrator.close();
  }
  const log = (name: string) => createProcessLog(settings, name, pino.destination(2));
  const api = await createApi(settings, log('api'));
  await api.listen(0, '127.0.0.1');
  let stopWorker = async (): Promise<void> => undefined;
  const startWorker = async (): Promise<void> => {
    const worker = await createWorker(settings, log('worker'));
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
  sandbox.sendWebhooksTo(`${url}/v1/webhooks/payments`);
  return {
    url,
    http: httpClient(url),
    settings,
    api,
    database: api.get(Database),
    sandbox,
    sink,
    startWorker,
    stop: async () => {
      await stopWorker();
      await api.close();
      await Promise.all([sandbox.stop(), sink.stop(), postgres.stop(), redis.stop()]);
    },
  };
}

import { randomBytes } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import pg from 'pg';
import { createApi } from '../../src/api.app.js';
import { loadSettings, type Settings } from '../../src/config/index.js';
import { PRODUCT } from '../../src/product.js';
import { Migrator } from '../../src/platform/database/index.js';
import { httpClient, type HttpClient } from '../../local/http.ts';
import { startSandboxProcess, type SandboxProcess } from '../../local/outside-services.ts';
import { startPostgres, type PostgresServer } from '../../local/servers/postgres.ts';
import { startRedis, type RedisServer } from '../../local/servers/redis.ts';
import { PATIENT_PROCESS } from '../support/patience.js';

/** The api over HTTP on servers of its own, with the payment provider as a real process. */
export interface Shop {
  app: NestFastifyApplication;
  url: string;
  settings: Settings;
  postgres: PostgresServer;
  redis: RedisServer;
  sandbox: SandboxProcess;
  webhookSecret: string;
  /** Anonymous. */
  http: HttpClient;
  sql<T>(text: string, values?: unknown[]): Promise<T[]>;
  stockOf(productId: string): Promise<number>;
  /** Another instance of the api, with the same servers. @returns its address */
  anotherApi(): Promise<string>;
  close(): Promise<void>;
}

/** @param env settings, as environment variables */
export async function openShop(env: Record<string, string> = {}): Promise<Shop> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.toReversed()) await closer();
  };
  try {
    const apiKey = randomBytes(16).toString('hex');
    const webhookSecret = `whsec_${randomBytes(24).toString('base64')}`;
    const postgres = await startPostgres();
    closers.push(() => postgres.stop());
    const redis = await startRedis();
    closers.push(() => redis.stop());
    const sandbox = await startSandboxProcess({ apiKey, webhookSecret, slowMs: 150 });
    closers.push(() => sandbox.stop());
    const settings = loadSettings(
      {
        NODE_ENV: 'test',
        LOG_LEVEL: 'silent',
        RATE_LIMIT_ENABLED: 'false',
        PAYMENT_PROVIDER_TIMEOUT_MS: '20000',
        PAYMENT_RECONCILE_AFTER_SECONDS: '1',
        ...PATIENT_PROCESS,
        ...env,
        HOST: '127.0.0.1',
        PORT: '0',
        MANAGEMENT_PORT: '0',
        DATABASE_URL: postgres.url(),
        REDIS_URL: redis.url(),
        PAYMENT_PROVIDER_URL: sandbox.url,
        PAYMENT_PROVIDER_API_KEY: apiKey,
        PAYMENT_WEBHOOK_SECRET: webhookSecret,
      },
      PRODUCT,
    );
    const migrator = await Migrator.open(settings.database);
    await migrator.migrate();
    await migrator.close();

    const startApi = async (): Promise<NestFastifyApplication> => {
      const started = await createApi(settings);
      closers.push(() => started.close());
      await started.listen(0, '127.0.0.1');
      return started;
    };
    const app = await startApi();
    const url = await app.getUrl();
    await sandbox.sendWebhooksTo(`${url}/v1/webhooks/payments`);

    const pool = new pg.Pool({ connectionString: postgres.url(), max: 2 });
    closers.push(() => pool.end());
    const sql = async <T>(text: string, values?: unknown[]) => (await pool.query(text, values)).rows as T[];

    return {
      app,
      url,
      settings,
      postgres,
      redis,
      sandbox,
      webhookSecret,
      http: httpClient(url),
      sql,
      stockOf: async (productId) => {
        const [row] = await sql<{ stock: number }>('SELECT stock FROM products WHERE id = $1', [productId]);
        return row?.stock ?? NaN;
      },
      anotherApi: async () => (await startApi()).getUrl(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

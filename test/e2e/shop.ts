import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import pg from 'pg';
import { createApi } from '../../src/api.app.js';
import { loadSettings, type Settings } from '../../src/config/index.js';
import { PRODUCT } from '../../src/product.js';
import { Migrator, newId } from '../../src/platform/database/index.js';
import { httpClient, type HttpClient, type HttpResponse } from '../../local/http.ts';
import { startSandboxProcess, type SandboxProcess } from '../../local/outside-services.ts';
import { startPostgres, type PostgresServer } from '../../local/servers/postgres.ts';
import { startRedis, type RedisServer } from '../../local/servers/redis.ts';
import { PATIENT_PROCESS } from '../support/patience.js';

export interface Customer {
  userId: string;
  accessToken: string;
  /** With its token. */
  http: HttpClient;
}

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
  newCustomer(): Promise<Customer>;
  newAdmin(): Promise<Customer>;
  newProduct(product?: { stock?: number; amount?: number; currency?: string }): Promise<string>;
  stockOf(productId: string): Promise<number>;
  /** Another instance of the api, with the same servers. @returns its address */
  anotherApi(): Promise<string>;
  close(): Promise<void>;
}

const PASSWORD = 'correct horse battery staple';

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

    const http = httpClient(url);
    const signUp = async (role = 'customer'): Promise<Customer> => {
      const account = { email: `${randomUUID()}@example.com`, password: PASSWORD };
      const user = await http.post<{ id: string }>('/v1/auth/register', { ...account, name: 'Ada' });
      await sql('UPDATE users SET role = $2 WHERE id = $1', [user.body.id, role]);
      const login = await http.post<{ accessToken: string }>('/v1/auth/login', account);
      if (login.status !== 200) throw new Error(`Login failed: ${login.status} ${login.text}`);
      const { accessToken } = login.body;
      return { userId: user.body.id, accessToken, http: http.as(accessToken) };
    };
    return {
      app,
      url,
      settings,
      postgres,
      redis,
      sandbox,
      webhookSecret,
      http,
      sql,
      newCustomer: () => signUp(),
      newAdmin: () => signUp('admin'),
      newProduct: async ({ stock = 100, amount = 1990, currency = 'EUR' } = {}) => {
        const id = newId();
        await sql(
          `INSERT INTO products (id, name, description, price_amount, currency, stock) VALUES ($1, 'Chair', '', $2, $3, $4)`,
          [id, amount, currency, stock],
        );
        return id;
      },
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

/** A fresh Idempotency-Key, or a given one. */
export function withKey(key: string = randomUUID()): { headers: Record<string, string> } {
  return { headers: { 'idempotency-key': key } };
}

/** The answer to a client that retries when it is told to: a slow machine may be busy for a moment. */
export async function served<T>(request: () => Promise<HttpResponse<T>>): Promise<HttpResponse<T>> {
  for (;;) {
    const answer = await request();
    if (answer.status !== 503) return answer;
    await delay(Number(answer.headers.get('retry-after')) * 1000);
  }
}

import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { Policies } from '../resilience/index.js';
import { ConnectionPool } from './connection-pool.js';
import { addressOf } from './data-source.js';
import { Database } from './database.js';

/** Shorter than the time limit of a check, so that its own reason is reported. */
const PING_TIMEOUT_MS = 700;

/** PostgreSQL's error when all its connections are taken: it is up, and the pool has its own connections. */
const TOO_MANY_CONNECTIONS = '53300';

/**
 * Whether PostgreSQL answers, checked on a separate connection: a busy pool must not look like a database that is down, or the
 * busiest instance would be taken out first. A `HealthCheck`, which does not depend on its caller.
 */
@Injectable()
export class DatabaseHealth implements OnApplicationShutdown {
  readonly name = 'postgresql';
  readonly essential = true;
  private readonly pool: ConnectionPool;

  constructor(
    @Inject(Settings) settings: Settings,
    private readonly database: Database,
    private readonly policies: Policies,
  ) {
    this.pool = new ConnectionPool({
      ...addressOf(settings.database, settings.database.url),
      application_name: `${settings.database.applicationName}-health`,
      max: 1,
      connectionTimeoutMillis: PING_TIMEOUT_MS,
      queryTimeoutMs: PING_TIMEOUT_MS,
      idleTimeoutMillis: 30_000,
    });
    this.pool.on('error', () => undefined);
  }

  async check(): Promise<Record<string, unknown>> {
    await this.policies.for(this.name).rehearse(PING_TIMEOUT_MS);
    await this.ping();
    return { pool: this.database.poolState };
  }

  private async ping(): Promise<void> {
    try {
      await this.pool.send({ text: 'SELECT 1' });
    } catch (error) {
      const { cause = error } = error as Error;
      if ((cause as { code?: string }).code !== TOO_MANY_CONNECTIONS) throw cause;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }
}

import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { HealthRegistry } from '../health/index.js';
import { ConnectionPool } from './connection-pool.js';
import { Database } from './database.js';

/** Shorter than a probe's own timeout, so that the answer is "down" and not silence. */
const PING_TIMEOUT_MS = 700;

/**
 * PostgreSQL's part of readiness, on a connection of its own: a pool that is busy with load must not look like a
 * database that is away, or the busiest replica would be taken out first.
 */
@Injectable()
export class DatabaseHealth implements OnModuleInit, OnApplicationShutdown {
  private readonly pool: ConnectionPool;

  constructor(
    @Inject(Settings) settings: Settings,
    private readonly health: HealthRegistry,
    private readonly database: Database,
  ) {
    this.pool = new ConnectionPool({
      connectionString: settings.database.url,
      application_name: 'holdfast-health',
      max: 1,
      connectionTimeoutMillis: PING_TIMEOUT_MS,
      query_timeout: PING_TIMEOUT_MS,
      idleTimeoutMillis: 30_000,
    });
    this.pool.on('error', () => undefined);
  }

  onModuleInit(): void {
    this.health.add({
      name: 'postgresql',
      essential: true,
      check: async () => {
        await this.pool.query('SELECT 1');
        return { pool: this.database.poolState };
      },
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }
}

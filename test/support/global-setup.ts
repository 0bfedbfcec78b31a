import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { loadSettings } from '../../src/config/index.js';
import { Migrator } from '../../src/platform/database/index.js';
import { startPostgres } from './servers/postgres.ts';
import { startRedis } from './servers/redis.ts';
import { templateDatabase } from './shared-servers.ts';
import type { SharedServers } from './shared-servers.ts';

declare module 'vitest' {
  interface ProvidedContext {
    servers: SharedServers;
  }
}

/**
 * One PostgreSQL and one Redis for all files of a run. The schema is made once, in a template that every file copies:
 * a database of its own costs a file some ten milliseconds instead of a run of all migrations.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  const admin = new pg.Client(postgres.url());
  await admin.connect();
  await admin.query(`CREATE DATABASE ${templateDatabase}`);
  await admin.end();
  const settings = loadSettings({ NODE_ENV: 'test', DATABASE_URL: postgres.url(templateDatabase) });
  const migrator = await Migrator.open(settings.database);
  await migrator.migrate();
  await migrator.close();
  project.provide('servers', { databaseUrl: postgres.url(), redisPort: redis.port });
  return async () => {
    await Promise.all([postgres.stop(), redis.stop()]);
  };
}

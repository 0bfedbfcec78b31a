import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import pg from 'pg';
import { inject } from 'vitest';
import { redisDatabases } from './servers/redis.ts';

/** What the global setup of the integration tests hands to every file. */
export interface SharedServers {
  databaseUrl: string;
  redisPort: number;
}

export const templateDatabase = 'holdfast_template';

export interface OwnData {
  databaseUrl: string;
  redisUrl: string;
  /** Takes the database away and empties the Redis database. */
  drop(): Promise<void>;
}

/**
 * A migrated database and an empty Redis database on the servers of this run, for one file alone. For tests that do
 * not break the servers themselves; those start their own.
 */
export async function ownData(): Promise<OwnData> {
  const servers = inject('servers');
  const name = `t_${randomUUID().replaceAll('-', '')}`;
  await onDatabase(servers.databaseUrl, `CREATE DATABASE ${name} TEMPLATE ${templateDatabase}`);
  const redisUrl = await emptyRedisDatabase(servers.redisPort);
  const databaseUrl = new URL(servers.databaseUrl);
  databaseUrl.pathname = `/${name}`;
  return {
    databaseUrl: databaseUrl.href,
    redisUrl,
    drop: async () => {
      await onDatabase(servers.databaseUrl, `DROP DATABASE ${name} WITH (FORCE)`);
      await onRedis(redisUrl, (redis) => redis.flushdb());
    },
  };
}

async function emptyRedisDatabase(port: number): Promise<string> {
  // Database 0 counts out the others.
  const count = await onRedis(`redis://127.0.0.1:${port}`, (redis) => redis.incr('databases'));
  if (count >= redisDatabases) throw new Error('More test files than Redis has databases');
  return `redis://127.0.0.1:${port}/${count}`;
}

async function onDatabase(connectionString: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function onRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

import { readFileSync } from 'node:fs';
import { checkServerIdentity } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { Logger } from '@nestjs/common';
import pg from 'pg';
import type { DataSourceOptions } from 'typeorm';
import type { DatabaseSettings } from '../../config/sections/database.settings.js';
import { ConnectionPool, type ConnectionPoolOptions } from './connection-pool.js';
import { isOutage, REHEARSED_OUTAGE } from './database.errors.js';
import { PoolDriver } from './joining-data-source.js';
import type { Replicas } from './replicas.js';

const logger = new Logger('Database');

/** Money and counts are bigint columns and plain numbers in the program; beyond 2^53 a number would be inexact. */
pg.types.setTypeParser(pg.types.builtins.INT8, (text) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} is too large for a number`);
  return value;
});

/**
 * A date is no moment: pg makes it midnight where the process runs, which is another day in UTC. TypeORM gives entities text, but not
 * for the columns that an INSERT returns because they have a default.
 */
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text);

/** PostgreSQL's output of a `timestamptz` in a session in UTC, as all of ours are. */
const IN_UTC = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?\+00$/;
const parseAnyTime = pg.types.getTypeParser(pg.types.builtins.TIMESTAMPTZ) as (text: string) => Date;
/** pg's own parser handles all styles and offsets, and takes four times as long as JavaScript's for the one that we get. */
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) =>
  IN_UTC.test(text) ? new Date(`${text.slice(0, 10)}T${text.slice(11, -3)}Z`) : parseAnyTime(text),
);

/**
 * The server of a URL, and how to connect: with TLS when the URL says so (`sslmode`), with the certificate and its name verified.
 */
export function addressOf(settings: DatabaseSettings, url: string): pg.PoolConfig {
  const { tlsCa, tlsCert, tlsKey, tlsServerName } = settings;
  // pg reads this as verify-full too, but a URL's `sslmode` replaces the whole `ssl` option, and so our certificate files.
  if (!/[?&]sslmode=verify-full\b/.test(url)) return { connectionString: url };
  const read = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path, 'utf8'));
  return {
    connectionString: url.replace(/([?&])sslmode=verify-full&?/, '$1'),
    ssl: {
      ...(tlsCa !== undefined && { ca: read(tlsCa) }),
      ...(tlsCert !== undefined && { cert: read(tlsCert), key: read(tlsKey) }),
      ...(tlsServerName !== undefined && {
        servername: tlsServerName,
        checkServerIdentity: (_host, certificate) => checkServerIdentity(tlsServerName, certificate),
      }),
    },
  };
}

/**
 * Options of one pg pool: every wait in it is bounded. Times in milliseconds.
 * @param purpose what its connections are for; PostgreSQL shows it after the name of the product
 */
export function poolOptions(settings: DatabaseSettings, url: string, purpose: string): ConnectionPoolOptions {
  const limits = {
    statement_timeout: settings.statementTimeoutMs,
    lock_timeout: settings.lockTimeoutMs,
    idle_in_transaction_session_timeout: settings.idleInTransactionTimeoutMs,
  };
  return {
    ...addressOf(settings, url),
    // PgBouncer rejects them as start-up parameters, and gives each transaction another session.
    ...(settings.transactionPooler ? { limitsOfTransaction: limits } : limits),
    namedStatements: settings.namedStatements,
    max: settings.poolSize,
    min: 0,
    application_name: `${settings.applicationName}-${purpose}`,
    // pg-pool counts both the wait for a free connection and the making of a new one against this.
    connectionTimeoutMillis: settings.acquireTimeoutMs,
    idleTimeoutMillis: 30_000,
    // Lets connections move to a new primary or a rebalanced proxy without a restart.
    maxLifetimeSeconds: 1800,
    queryTimeoutMs: settings.queryTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
}

/** The pool of the primary. */
export function primaryPool(
  settings: DatabaseSettings,
  purpose: string,
  options: Pick<ConnectionPoolOptions, 'dependency' | 'metrics'> = {},
): ConnectionPool {
  options.dependency?.countAsFailure(isOutage, REHEARSED_OUTAGE);
  return new ConnectionPool({ ...poolOptions(settings, settings.url, purpose), ...options });
}

/**
 * TypeORM's options for the primary, whose pool it ends. The replicas are not in its option `replication`: it would connect to every
 * one of them at start and fail when one is down.
 */
export function dataSourceOptions(
  settings: DatabaseSettings,
  pool: ConnectionPool,
  replicas?: Replicas,
): DataSourceOptions {
  const compiled = import.meta.url.endsWith('.js');
  return {
    type: 'postgres',
    driver: new PoolDriver(pool, replicas),
    url: settings.url,
    installExtensions: false,
    synchronize: false,
    migrationsRun: false,
    logging: false,
    // A pool reports the death of an idle connection here; without a listener, that would end the process.
    poolErrorHandler: (error: Error) => logger.warn({ err: error }, 'An idle database connection was lost'),
    migrations: [
      fileURLToPath(
        new URL(compiled ? '../../migrations/*.js' : '../../../migrations/*.ts', import.meta.url),
      ),
    ],
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
  };
}

import { Gauge } from 'prom-client';
import type { DataSource, DataSourceOptions } from 'typeorm';
import { loadSettings, type Settings } from '../../src/config/index.js';
import { PRODUCT } from '../../src/product.js';
import { dataSourceOptions, primaryPool } from '../../src/platform/database/data-source.js';
import { JoiningDataSource } from '../../src/platform/database/joining-data-source.js';
import { Database, Migrator, UnitOfWork, type ConnectionPool } from '../../src/platform/database/index.js';
import { Replicas } from '../../src/platform/database/replicas.js';
import { Policies } from '../../src/platform/resilience/index.js';
import { waitFor } from '../../local/wait-for.ts';
import { startPostgres, type PostgresServer } from '../../local/servers/postgres.ts';
import { PATIENT_DATABASE } from './patience.ts';

/** What a process of the product has of PostgreSQL: a pool, a unit of work, statements. */
export interface DatabaseRoom {
  settings: Settings;
  pool: ConnectionPool;
  replicas: Replicas;
  dataSource: DataSource;
  database: Database;
  unitOfWork: UnitOfWork;
  policies: Policies;
}

/** A migrated database on a PostgreSQL of its own, for tests of what stands directly on it. */
export interface TestDatabase extends DatabaseRoom {
  server: PostgresServer;
  /** Another process's view: with its own pool, and its own settings on top of those of the first. */
  anotherRoom(env?: Record<string, string>): Promise<DatabaseRoom>;
  close(): Promise<void>;
}

/**
 * @param env settings, as environment variables
 * @param address starts what stands between the product and the server, if anything does, and gives its port
 * @param entities of TypeORM
 */
export async function openTestDatabase(
  env: Record<string, string> = {},
  address: (server: PostgresServer) => number | Promise<number> = ({ port }) => port,
  entities: DataSourceOptions['entities'] = [],
): Promise<TestDatabase> {
  const server = await startPostgres();
  const environment = {
    NODE_ENV: 'test',
    ...PATIENT_DATABASE,
    ...env,
    DATABASE_URL: server.url().replace(`:${server.port}/`, `:${await address(server)}/`),
  };
  const rooms: DatabaseRoom[] = [];
  const openRoom = async (more: Record<string, string> = {}): Promise<DatabaseRoom> => {
    const settings = loadSettings({ ...environment, ...more }, PRODUCT);
    const gauge = new Gauge({ name: 'circuit', help: 'circuit', labelNames: ['dependency'], registers: [] });
    const policies = new Policies(settings, gauge);
    const pool = primaryPool(settings.database, 'test', { dependency: policies.for('postgresql') });
    const replicas = new Replicas(pool, settings);
    const dataSource = new JoiningDataSource({
      ...dataSourceOptions(settings.database, pool, replicas),
      entities,
    } as DataSourceOptions);
    await dataSource.initialize();
    const unitOfWork = new UnitOfWork(pool);
    const database = new Database(pool, unitOfWork, replicas, settings);
    const room = { settings, pool, replicas, dataSource, database, unitOfWork, policies };
    rooms.push(room);
    return room;
  };
  const close = async (): Promise<void> => {
    await Promise.all(
      rooms.map(async ({ replicas, dataSource }) => {
        await replicas.onApplicationShutdown();
        await dataSource.destroy();
      }),
    );
    await server.stop();
  };
  try {
    const migrator = await Migrator.open(loadSettings(environment, PRODUCT).database);
    await migrator.migrate();
    await migrator.close();
    return { ...(await openRoom()), server, anotherRoom: openRoom, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Waits until all connections of a room are given back. */
export function nothingLent({ database }: DatabaseRoom): Promise<unknown> {
  return waitFor(
    () => {
      const { total, idle, waiting } = database.poolState;
      return total === idle && waiting === 0;
    },
    { what: 'a pool whose connections are all given back' },
  );
}

import { Gauge } from 'prom-client';
import { DataSource } from 'typeorm';
import { loadSettings, type Settings } from '../../src/config/index.js';
import { PRODUCT } from '../../src/product.js';
import { dataSourceOptions } from '../../src/platform/database/data-source.js';
import { Database, Migrator, UnitOfWork } from '../../src/platform/database/index.js';
import { Policies } from '../../src/platform/resilience/index.js';
import { startPostgres, type PostgresServer } from '../../local/servers/postgres.ts';
import { PATIENT_DATABASE } from './patience.ts';

/** What a process of the product has of PostgreSQL: a pool, a unit of work, statements. */
export interface DatabaseRoom {
  settings: Settings;
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
 */
export async function openTestDatabase(
  env: Record<string, string> = {},
  address: (server: PostgresServer) => number | Promise<number> = ({ port }) => port,
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
    const dataSource = new DataSource(dataSourceOptions(settings.database, 'test'));
    await dataSource.initialize();
    const gauge = new Gauge({ name: 'circuit', help: 'circuit', labelNames: ['dependency'], registers: [] });
    const policies = new Policies(settings, gauge);
    const unitOfWork = new UnitOfWork(dataSource, policies);
    const database = new Database(dataSource, unitOfWork, policies, settings);
    const room = { settings, dataSource, database, unitOfWork, policies };
    rooms.push(room);
    return room;
  };
  const close = async (): Promise<void> => {
    await Promise.all(
      rooms.map(async ({ database, dataSource }) => {
        await database.onApplicationShutdown();
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

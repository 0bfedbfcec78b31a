import 'reflect-metadata';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { repositoryRoot } from '../../local/servers/paths.ts';
import { startPostgres } from '../../local/servers/postgres.ts';
import { build } from './build.ts';

/** Statements that bring a migrated database to what the entities say, and back. */
export interface SchemaDifference {
  up: string[];
  /** In the order in which they undo. */
  down: string[];
  /** Words that SQL keeps for itself. */
  reserved: string[];
}

const dist = join(repositoryRoot, 'dist');

/** Compares the entities of this checkout with a new database that has run its migrations. */
export async function schemaDifference(): Promise<SchemaDifference> {
  await build({ onlyIfStale: true });
  const server = await startPostgres();
  try {
    return await compare(server.url());
  } finally {
    await server.stop();
  }
}

async function compare(url: string): Promise<SchemaDifference> {
  const { loadSettings } = await built<typeof import('../../src/config/index.js')>('config/index.js');
  const { PRODUCT } = await built<typeof import('../../src/product.js')>('product.js');
  const { Migrator } = await built<typeof import('../../src/platform/database/index.js')>(
    'platform/database/index.js',
  );
  const { dataSourceOptions, primaryPool } = await built<
    typeof import('../../src/platform/database/data-source.js')
  >('platform/database/data-source.js');
  const settings = loadSettings({ NODE_ENV: 'test', DATABASE_URL: url }, PRODUCT).database;
  const migrator = await Migrator.open(settings);
  try {
    await migrator.migrate();
  } finally {
    await migrator.close();
  }
  const dataSource = new DataSource({
    ...dataSourceOptions(settings, primaryPool(settings, 'schema-difference')),
    entities: globSync('**/*.entity.js', { cwd: dist }).map((path) => join(dist, path)),
  });
  await dataSource.initialize();
  try {
    const { upQueries, downQueries } = await dataSource.driver.createSchemaBuilder().log();
    const reserved = await dataSource.query<{ word: string }[]>(
      "SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')",
    );
    return {
      up: upQueries.map(({ query }) => query),
      down: downQueries.map(({ query }) => query).toReversed(),
      reserved: reserved.map(({ word }) => word),
    };
  } finally {
    await dataSource.destroy();
  }
}

function built<T>(path: string): Promise<T> {
  return import(join(dist, path)) as Promise<T>;
}

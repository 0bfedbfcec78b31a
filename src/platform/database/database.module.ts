import { Global, Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSourceOptions } from 'typeorm';
import { Settings } from '../../config/index.js';
import { Policies } from '../resilience/index.js';
import { AT_START } from './at-start.js';
import { ConnectionPool } from './connection-pool.js';
import { dataSourceOptions, primaryPool } from './data-source.js';
import { DatabaseHealth } from './database.health.js';
import { DatabaseMetrics, databaseMetrics } from './database.metrics.js';
import { Database } from './database.js';
import { JoiningDataSource } from './joining-data-source.js';
import { Replicas } from './replicas.js';
import { SchemaCheck } from './schema-check.js';
import { UnitOfWork } from './unit-of-work.js';

/** The pool, the unit of work, named SQL, TypeORM on that pool, and the check that the schema is migrated. */
@Global()
@Module({})
export class DatabaseModule {
  /** @param purpose of this process's connections, such as `api` */
  static forRoot(purpose: string): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRootAsync({
          inject: [Settings, ConnectionPool, Replicas],
          useFactory: (settings: Settings, pool: ConnectionPool, replicas: Replicas) => ({
            ...dataSourceOptions(settings.database, pool, replicas),
            autoLoadEntities: true,
            ...AT_START,
          }),
          dataSourceFactory: (options) =>
            Promise.resolve(new JoiningDataSource(options as DataSourceOptions)),
        }),
      ],
      providers: [
        ...databaseMetrics,
        DatabaseMetrics,
        {
          provide: ConnectionPool,
          inject: [Settings, Policies, DatabaseMetrics],
          useFactory: ({ database }: Settings, policies: Policies, metrics: DatabaseMetrics) => {
            const measured = metrics.of('primary');
            const pool = primaryPool(database, purpose, {
              dependency: policies.for('postgresql'),
              metrics: measured,
            });
            measured.watch(pool);
            return pool;
          },
        },
        Replicas,
        UnitOfWork,
        Database,
        SchemaCheck,
        DatabaseHealth,
      ],
      exports: [ConnectionPool, Replicas, UnitOfWork, Database, DatabaseHealth],
    };
  }
}

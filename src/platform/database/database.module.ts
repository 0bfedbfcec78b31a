import { Global, Module, type DynamicModule, type Type } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Settings } from '../../config/index.js';
import { dataSourceOptions } from './data-source.js';
import { DatabaseHealth } from './database.health.js';
import { Database } from './database.js';
import { SchemaCheck } from './schema-check.js';
import { UnitOfWork } from './unit-of-work.js';

/** The connection pool, the unit of work and the check that the schema is migrated. */
@Global()
@Module({})
export class DatabaseModule {
  /** @param purpose of this process's connections, such as `api` */
  static forRoot(purpose: string): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRootAsync({
          inject: [Settings],
          useFactory: (settings: Settings) => ({
            ...dataSourceOptions(settings.database, purpose),
            autoLoadEntities: true,
            retryAttempts: 10,
            retryDelay: 1000,
          }),
        }),
      ],
      providers: [UnitOfWork, Database, SchemaCheck, DatabaseHealth],
      exports: [UnitOfWork, Database, DatabaseHealth],
    };
  }

  /** Entities of a feature, for its repositories and for the test that entities and migrations agree. */
  static forFeature(entities: Type<unknown>[]): DynamicModule {
    return TypeOrmModule.forFeature(entities);
  }
}

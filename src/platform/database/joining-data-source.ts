import { DataSource, TransactionNotStartedError, type QueryRunner, type ReplicationMode } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { PostgresQueryRunner } from 'typeorm/driver/postgres/PostgresQueryRunner.js';
import type { ConnectionPool } from './connection-pool.js';
import { translateDatabaseError } from './database.errors.js';
import type { OpenUnit } from './open-unit.js';

/**
 * TypeORM's data source on a pool of ours. Injected repositories, custom ones, entity managers, query builders and `query` ask
 * the data source for a query runner when they have none, get that of the open unit of work, and so join it by themselves.
 */
export class JoiningDataSource extends DataSource {
  override createQueryRunner(mode: ReplicationMode = 'master'): QueryRunner {
    const { unit } = (this.options as { driver: PoolDriver }).driver.pool;
    if (unit) return (unit.runner ??= this.manage(new RunnerInUnit(this.driver as PostgresDriver, unit)));
    return this.manage(new RunnerOnPool(this.driver as PostgresDriver, mode));
  }

  /** A manager gives itself to its runner. */
  private manage(runner: QueryRunner): QueryRunner {
    this.createEntityManager(runner);
    return runner;
  }
}

/** What TypeORM takes for the module pg: it creates a pool from it, and gets the existing one. */
export class PoolDriver {
  readonly Pool: new () => ConnectionPool;

  constructor(readonly pool: ConnectionPool) {
    this.Pool = function Pool() {
      return pool;
    } as unknown as new () => ConnectionPool;
  }
}

/** TypeORM's query runner. Its errors are of our taxonomy where one applies; the `QueryFailedError` is the cause. */
class RunnerOnPool extends PostgresQueryRunner {
  override connect(): Promise<unknown> {
    return super.connect().catch((error: unknown) => {
      throw translateDatabaseError(error);
    });
  }

  // oxlint-disable-next-line typescript/no-explicit-any
  override async query(query: string, parameters?: any[], useStructuredResult?: boolean): Promise<any> {
    try {
      return await super.query(query, parameters, useStructuredResult as true);
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }
}

/** Runs on the connection and in the transaction of a unit of work, which ends both. A transaction in it is a savepoint. */
class RunnerInUnit extends RunnerOnPool {
  override isTransactionActive = true;
  protected override transactionDepth = 1;

  constructor(
    driver: PostgresDriver,
    private readonly unit: OpenUnit,
  ) {
    super(driver, 'master');
  }

  override connect(): Promise<unknown> {
    if (this.unit.closed)
      return Promise.reject(
        new Error('This unit of work has ended; await everything that is started inside it'),
      );
    return Promise.resolve(this.unit.client);
  }

  override async commitTransaction(): Promise<void> {
    this.requireSavepoint();
    await super.commitTransaction();
  }

  override async rollbackTransaction(): Promise<void> {
    this.requireSavepoint();
    await super.rollbackTransaction();
  }

  /** The unit of work releases its connection itself. */
  override release(): Promise<void> {
    return Promise.resolve();
  }

  private requireSavepoint(): void {
    if (this.transactionDepth < 2) throw new TransactionNotStartedError();
  }
}

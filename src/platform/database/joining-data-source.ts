import { AsyncLocalStorage } from 'node:async_hooks';
import {
  DataSource,
  EntityManager,
  QueryRunnerAlreadyReleasedError,
  TransactionNotStartedError,
  type QueryRunner,
  type ReplicationMode,
} from 'typeorm';
import type { IsolationLevel } from 'typeorm/driver/types/IsolationLevel.js';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { PostgresQueryRunner } from 'typeorm/driver/postgres/PostgresQueryRunner.js';
import type { ConnectionPool } from './connection-pool.js';
import { translateDatabaseError } from './database.errors.js';
import type { PooledConnection } from './pooled-connection.js';
import type { Replicas } from './replicas.js';
import { requireOpen, requireTerms, type OpenUnit } from './open-unit.js';
import { UnitOfWork } from './unit-of-work.js';

/**
 * TypeORM's data source on a pool of ours. Injected repositories, custom ones, entity managers, query builders and `query` ask
 * the data source for a query runner when they have none, get that of the open unit of work, and so join it by themselves.
 */
export class JoiningDataSource extends DataSource {
  override createQueryRunner(mode: ReplicationMode = 'master'): QueryRunner {
    const { pool, replicas } = (this.options as { driver: PoolDriver }).driver;
    const { unit } = pool;
    const driver = this.driver as PostgresDriver;
    if (unit) return (unit.runner ??= this.manage(new RunnerInUnit(driver, unit, pool.units)));
    return this.manage(
      mode === 'slave' && replicas ? new RunnerOnReplicas(driver, replicas) : new RunnerOnPool(driver, mode),
    );
  }

  /** By default TypeORM's reads tolerate lag; ours do so where the query runner says it. */
  override defaultReplicationModeForReads(): ReplicationMode {
    return 'master';
  }

  override createEntityManager(runner?: QueryRunner): EntityManager {
    return new JoiningManager(this, runner);
  }

  /** A manager gives itself to its runner. */
  private manage(runner: QueryRunner): QueryRunner {
    this.createEntityManager(runner);
    return runner;
  }
}

type Work<T> = (manager: EntityManager) => Promise<T>;

/**
 * Its transactions are units of work, which named SQL, the outbox and queues join. Inside of one they are savepoints: what is done
 * beside one is refused, not rolled back with it.
 */
class JoiningManager extends EntityManager {
  override transaction<T>(...args: [work: Work<T>] | [isolation: IsolationLevel, work: Work<T>]): Promise<T>;
  override async transaction<T>(first: IsolationLevel | Work<T>, second?: Work<T>): Promise<T> {
    const [isolation, work] = typeof first === 'function' ? [undefined, first] : [first, second!];
    const { driver } = this.dataSource.options as unknown as { driver: PoolDriver };
    const { unitOfWork } = driver;
    const { unit } = driver.pool;
    const inside = () => work(this.dataSource.createQueryRunner().manager);
    // TypeORM runs `work` once.
    if (!unit && !this.queryRunner) return unitOfWork.run(inside, { isolation, repeatable: false });
    if (unit && (!this.queryRunner || this.queryRunner instanceof RunnerInUnit)) {
      requireTerms(unit, { isolation });
      return unitOfWork.savepoint(inside);
    }
    return isolation ? super.transaction(isolation, work) : super.transaction(work);
  }
}

/** What TypeORM takes for the module pg: it makes a pool of it, and gets the one that is there. */
export class PoolDriver {
  readonly Pool: new () => ConnectionPool;
  readonly unitOfWork: UnitOfWork;

  constructor(
    readonly pool: ConnectionPool,
    readonly replicas?: Replicas,
  ) {
    this.unitOfWork = new UnitOfWork(pool);
    this.Pool = function Pool() {
      return pool;
    } as unknown as new () => ConnectionPool;
  }
}

/** The query runner whose transaction has been begun here. Nothing but its own manager joins that. */
const begun = new AsyncLocalStorage<QueryRunner>();

/**
 * Whether the transaction of a query runner is open around what happens now, which is not a part of it. Seen where the transaction
 * was begun and in all that is called from there, not in other branches of the same request.
 */
export function isBesideTransaction(): boolean {
  const runner = begun.getStore();
  return runner !== undefined && runner.isTransactionActive && !runner.isReleased;
}

/** TypeORM's query runner. Its errors are of our taxonomy where one applies; the `QueryFailedError` is the cause. */
class RunnerOnPool extends PostgresQueryRunner {
  override connect(): Promise<unknown> {
    return super.connect().catch((error: unknown) => {
      throw translateDatabaseError(error);
    });
  }

  override startTransaction(isolation?: IsolationLevel): Promise<void> {
    // Not of a savepoint, which is part of the unit of work.
    if (this.transactionDepth === 0) begun.enterWith(this);
    return super.startTransaction(isolation);
  }

  // oxlint-disable-next-line typescript/no-explicit-any
  override async query(query: string, parameters?: any[], useStructuredResult?: boolean): Promise<any> {
    try {
      return await super.query(query, parameters, useStructuredResult as true);
    } catch (error) {
      throw translateDatabaseError(this.lossBefore(error));
    }
  }

  /** TypeORM releases a connection that breaks between two statements, and then reports only that it is released. */
  private lossBefore(error: unknown): unknown {
    const { unfit } = (this.databaseConnection ?? {}) as Partial<PooledConnection>;
    return (error instanceof QueryRunnerAlreadyReleasedError && unfit) || error;
  }
}

/** For reads that tolerate replication lag. It has no connection, and each statement may go to another server. */
class RunnerOnReplicas extends RunnerOnPool {
  constructor(
    driver: PostgresDriver,
    private readonly replicas: Replicas,
  ) {
    super(driver, 'slave');
  }

  override connect(): Promise<unknown> {
    return Promise.resolve({
      query: (text: string, values?: unknown[]) => this.replicas.read({ text, values }),
    });
  }

  override startTransaction(): Promise<void> {
    return Promise.reject(
      new Error('A read that tolerates lag cannot write; write and begin transactions on the primary'),
    );
  }
}

/** Runs on the connection and in the transaction of a unit of work, which ends both. A transaction in it is a savepoint. */
class RunnerInUnit extends RunnerOnPool {
  override isTransactionActive = true;
  protected override transactionDepth = 1;
  constructor(
    driver: PostgresDriver,
    private readonly unit: OpenUnit,
    private readonly units: ConnectionPool['units'],
  ) {
    super(driver, 'master');
  }

  /** TypeORM awaits this, and its subscribers, before it sends: meanwhile the unit may have ended and its connection serve others. */
  override connect(): Promise<unknown> {
    return Promise.resolve({
      query: (...statement: unknown[]): unknown => {
        // In a savepoint the manager of the transaction around it may be used too.
        requireOpen(this.unit.closed ? this.unit : (this.units.getStore() ?? this.unit));
        return this.unit.client.query(...statement);
      },
    });
  }

  override async startTransaction(isolation?: IsolationLevel): Promise<void> {
    requireTerms(this.unit, { isolation });
    // Everything that joins the unit of work has this runner: a second one's rollback would take back the first one's work.
    if (this.unit.begunAfter !== undefined)
      throw new Error(
        'A query runner has begun a transaction in this unit of work; end it first, or use manager.transaction() for one inside it',
      );
    this.unit.begunAfter = this.unit.afterCommit.length;
    try {
      await super.startTransaction(isolation);
    } catch (error) {
      this.unit.begunAfter = undefined;
      throw error;
    }
  }

  override async commitTransaction(): Promise<void> {
    this.requireSavepoint();
    await super.commitTransaction();
    this.unit.begunAfter = undefined;
  }

  override async rollbackTransaction(): Promise<void> {
    this.requireSavepoint();
    await super.rollbackTransaction();
    this.unit.afterCommit.length = this.unit.begunAfter ?? this.unit.afterCommit.length;
    this.unit.begunAfter = undefined;
  }

  /** The unit of work releases its connection itself. */
  override release(): Promise<void> {
    return Promise.resolve();
  }

  private requireSavepoint(): void {
    if (this.transactionDepth < 2) throw new TransactionNotStartedError();
  }
}

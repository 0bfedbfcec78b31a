import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable, Logger } from '@nestjs/common';
import type pg from 'pg';
import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import { Policies, type Dependency } from '../resilience/index.js';
import { queueOf } from './connection-queue.js';
import { breaksConnection, isOutage, translateDatabaseError } from './database.errors.js';

type AfterCommit = () => void | Promise<void>;

interface OpenUnit {
  client: pg.PoolClient;
  /** Made when TypeORM's manager is asked for, which is not on hot paths. */
  runner?: QueryRunner;
  afterCommit: AfterCommit[];
  closed: boolean;
  /** The first error that makes the connection unfit for another user. */
  broken?: Error;
}

export interface UnitOfWorkOptions {
  /** Default: READ COMMITTED. */
  isolation?: 'REPEATABLE READ' | 'SERIALIZABLE';
  readOnly?: boolean;
}

/**
 * One transaction that everything called inside `run` joins, found through the asynchronous context and not handed around
 * (Fowler, "Patterns of Enterprise Application Architecture", Unit of Work). Keep it short: no network call inside.
 */
@Injectable()
export class UnitOfWork {
  private readonly storage = new AsyncLocalStorage<OpenUnit>();
  private readonly logger = new Logger(UnitOfWork.name);

  private readonly postgresql: Dependency;

  constructor(
    private readonly dataSource: DataSource,
    policies: Policies,
  ) {
    this.postgresql = policies.for('postgresql');
    this.postgresql.countAsFailure(isOutage);
  }

  get isActive(): boolean {
    return this.storage.getStore() !== undefined;
  }

  /**
   * Runs `work` in a transaction: commits when it resolves, rolls back when it throws, and gives the connection back in
   * either case. A `run` inside a `run` joins the outer one.
   * @returns what `work` returns, once the commit is acknowledged.
   * @throws what `work` throws; `TransientError` when PostgreSQL is away, saturated, or chose this one to end a deadlock.
   */
  async run<T>(work: () => Promise<T>, options: UnitOfWorkOptions = {}): Promise<T> {
    if (this.current()) return work();
    return this.postgresql.guard(() => this.transaction(work, options));
  }

  /** Calls `callback` once the open unit of work has committed, never when it rolls back; at once when none is open. */
  afterCommit(callback: AfterCommit): void {
    const unit = this.current();
    if (unit) unit.afterCommit.push(callback);
    else void this.runAfterCommit([callback]);
  }

  /** The connection of the open unit of work, for `Database` alone. */
  client(): pg.PoolClient | undefined {
    return this.current()?.client;
  }

  /** TypeORM's manager in the open unit of work, for `Database` alone. */
  manager(): EntityManager | undefined {
    const unit = this.current();
    return unit && (unit.runner ??= runnerOn(this.dataSource, unit.client)).manager;
  }

  /** Remembers that the connection must not be used again (a timed-out query may still answer on it). */
  markBroken(error: Error): void {
    const unit = this.storage.getStore();
    if (unit) unit.broken ??= error;
  }

  private current(): OpenUnit | undefined {
    const unit = this.storage.getStore();
    // A promise that nobody awaited goes on after the commit; on a connection that already serves somebody else it
    // would read and write in a stranger's transaction.
    if (unit?.closed)
      throw new Error('This unit of work has ended; await everything that is started inside it');
    return unit;
  }

  // Straight on pg: TypeORM's query runner costs as much as the statements of a short transaction.
  private async transaction<T>(work: () => Promise<T>, options: UnitOfWorkOptions): Promise<T> {
    const unit: OpenUnit = { client: await this.connect(), afterCommit: [], closed: false };
    let result: T;
    try {
      await send(unit, begin(options));
      result = await this.storage.run(unit, work);
      unit.closed = true;
      // PostgreSQL answers the COMMIT of a transaction in which a statement failed with a rollback, and with no error.
      if ((await send(unit, 'COMMIT')).command !== 'COMMIT') {
        throw new Error(
          'A statement of this unit of work failed and its error was caught: nothing was committed',
        );
      }
    } catch (error) {
      unit.closed = true;
      await this.rollback(unit);
      throw translateDatabaseError(error);
    } finally {
      unit.closed = true;
      unit.client.release(unit.broken);
    }
    if (unit.afterCommit.length > 0) await this.runAfterCommit(unit.afterCommit);
    return result;
  }

  private async connect(): Promise<pg.PoolClient> {
    const pool = (this.dataSource.driver as unknown as { master: pg.Pool }).master;
    queueOf(pool).refuseWhenFull();
    try {
      return await pool.connect();
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }

  private async rollback(unit: OpenUnit): Promise<void> {
    if (unit.broken) return;
    try {
      await unit.client.query('ROLLBACK');
    } catch (error) {
      this.logger.warn(
        { err: error },
        'Rollback failed; the connection is thrown away, which rolls back too',
      );
      unit.broken = error as Error;
    }
  }

  private async runAfterCommit(callbacks: AfterCommit[]): Promise<void> {
    for (const callback of callbacks) {
      try {
        await callback();
      } catch (error) {
        // The change is committed; the caller must not be told otherwise.
        this.logger.error({ err: error }, 'A step after the commit failed');
      }
    }
  }
}

function begin({ isolation, readOnly }: UnitOfWorkOptions): string {
  return `BEGIN${isolation ? ` ISOLATION LEVEL ${isolation}` : ''}${readOnly ? ' READ ONLY' : ''}`;
}

async function send(unit: OpenUnit, text: string): Promise<pg.QueryResult> {
  try {
    return await unit.client.query(text);
  } catch (error) {
    if (breaksConnection(error)) unit.broken ??= error as Error;
    throw error;
  }
}

/** TypeORM's query runner on a connection and in a transaction that it has not opened, and must not close. */
function runnerOn(dataSource: DataSource, client: pg.PoolClient): QueryRunner {
  const runner = dataSource.createQueryRunner('master');
  return Object.assign(runner, {
    databaseConnection: client,
    isTransactionActive: true,
    transactionDepth: 1,
  });
}

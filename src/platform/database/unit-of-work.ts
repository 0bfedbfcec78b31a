import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable, Logger } from '@nestjs/common';
import type pg from 'pg';
import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import { Policies, type Dependency } from '../resilience/index.js';
import { refuseWhenSaturated } from './connections.js';
import { breaksConnection, isOutage, translateDatabaseError } from './database.errors.js';

type AfterCommit = () => void | Promise<void>;

interface OpenUnit {
  runner: QueryRunner;
  client: pg.PoolClient;
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
    return this.current()?.runner.manager;
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

  private async transaction<T>(work: () => Promise<T>, options: UnitOfWorkOptions): Promise<T> {
    const runner = this.dataSource.createQueryRunner('master');
    const unit: OpenUnit = { runner, client: undefined as never, afterCommit: [], closed: false };
    let result: T;
    try {
      refuseWhenSaturated((this.dataSource.driver as unknown as { master: pg.Pool }).master);
      unit.client = (await runner.connect()) as pg.PoolClient;
      await runner.startTransaction(options.isolation);
      if (options.readOnly) await unit.client.query('SET TRANSACTION READ ONLY');
      result = await this.storage.run(unit, work);
      unit.closed = true;
      await runner.commitTransaction();
    } catch (error) {
      unit.closed = true;
      if (breaksConnection(error)) unit.broken ??= driverErrorIn(error);
      await this.rollback(unit);
      throw translateDatabaseError(error);
    } finally {
      unit.closed = true;
      await giveBack(unit);
    }
    await this.runAfterCommit(unit.afterCommit);
    return result;
  }

  private async rollback({ runner, broken }: OpenUnit): Promise<void> {
    if (broken || !runner.isTransactionActive) return;
    try {
      await runner.rollbackTransaction();
    } catch (error) {
      this.logger.warn(
        { err: error },
        'Rollback failed; the connection is thrown away, which rolls back too',
      );
      await (runner as PostgresRunner).releasePostgresConnection(error as Error);
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

type PostgresRunner = QueryRunner & { releasePostgresConnection(error?: Error): Promise<void> };

async function giveBack({ runner, broken }: OpenUnit): Promise<void> {
  if (runner.isReleased) return;
  if (broken) await (runner as PostgresRunner).releasePostgresConnection(broken);
  else await runner.release();
}

/** A business error thrown by `work` says nothing about the connection; only what the driver raised does. */
function driverErrorIn(error: unknown): Error | undefined {
  return error instanceof Error && 'driverError' in error ? error : undefined;
}

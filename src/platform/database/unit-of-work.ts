import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable, Logger } from '@nestjs/common';
import type pg from 'pg';
import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import { TransientError } from '../errors/index.js';
import { Policies, type Dependency } from '../resilience/index.js';
import { queueOf } from './connection-queue.js';
import type { ConnectionPool, LentConnection } from './connection-pool.js';
import { askTraced } from './connections.js';
import {
  breaksConnection,
  isOutage,
  REHEARSED_OUTAGE,
  isRefusedWrite,
  located,
  translateDatabaseError,
} from './database.errors.js';
import { RecentWrites } from './recent-writes.js';

type AfterCommit = () => void | Promise<void>;

/** How often the work is begun at most, where connections are outdated by a migration or a failover. */
export const ATTEMPTS = 3;

interface OpenUnit {
  client: LentConnection;
  /** Made when TypeORM's manager is asked for, which is not on hot paths. */
  runner?: QueryRunner;
  afterCommit: AfterCommit[];
  closed: boolean;
  /** The savepoint in which statements run now. */
  savepoint?: symbol;
  /** The first error that makes the connection unfit for another user. */
  broken?: Error;
}

export interface UnitOfWorkOptions<F = undefined> {
  /**
   * Statements that are sent together with BEGIN instead of after its answer; `work` gets what they return. They must change
   * nothing: should BEGIN fail, they would have run outside of the transaction.
   */
  first?: () => Promise<F>;
  /** Default: READ COMMITTED. */
  isolation?: 'REPEATABLE READ' | 'SERIALIZABLE';
  readOnly?: boolean;
  /**
   * Whether `work` may be begun again from the start, on another connection, when a migration or a failover has outdated this one before
   * COMMIT was sent: all it did in the database is rolled back then. Default: true. What it does elsewhere it would do twice; see `afterCommit`.
   */
  repeatable?: boolean;
}

/**
 * One transaction that everything called inside `run` joins, found through the asynchronous context and not handed around
 * (Fowler, "Patterns of Enterprise Application Architecture", Unit of Work). Keep it short: no network call inside.
 */
@Injectable()
export class UnitOfWork {
  private readonly storage = new AsyncLocalStorage<OpenUnit>();
  private readonly savepoints = new AsyncLocalStorage<symbol>();
  private readonly logger = new Logger(UnitOfWork.name);

  /** Of every unit of work that was not declared read-only. */
  readonly recentWrites = new RecentWrites();

  private readonly postgresql: Dependency;
  /** Of one statement. */
  private readonly timeoutMs: number;

  constructor(
    private readonly dataSource: DataSource,
    policies: Policies,
  ) {
    this.postgresql = policies.for('postgresql');
    this.timeoutMs = this.postgresql.policy.timeoutMs;
    this.postgresql.countAsFailure(isOutage, REHEARSED_OUTAGE);
  }

  get isActive(): boolean {
    return this.storage.getStore() !== undefined;
  }

  /**
   * Runs `work` in a transaction: commits when it resolves, rolls back when it throws, and gives the connection back in
   * either case. After a migration or a failover `work` may be called more than once (`repeatable`). A `run` inside a `run` joins the outer one.
   * @returns what `work` returns, once the commit is acknowledged.
   * @throws what `work` throws; `TransientError` when PostgreSQL is away, saturated, or chose this one to end a deadlock.
   */
  async run<T, F = undefined>(
    work: (first: F) => Promise<T>,
    options: UnitOfWorkOptions<F> = {},
  ): Promise<T> {
    if (this.current()) return work((await options.first?.()) as F);
    try {
      return await this.postgresql.guard(() => this.transaction(work, options));
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }

  /**
   * Runs `work` so that its failure can be caught inside the open unit of work: what it did in the database is rolled back, and what was
   * done before it stays. Without a savepoint PostgreSQL refuses every statement after one that has failed. Costs two round trips, so
   * prefer `ON CONFLICT` where that is enough. Nothing else may use the unit of work until `work` ends.
   * @throws what `work` throws
   */
  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    const unit = this.current();
    if (!unit) throw new Error('A savepoint needs an open unit of work');
    const outer = unit.savepoint;
    const announced = unit.afterCommit.length;
    const own = Symbol('savepoint');
    await send(unit, 'SAVEPOINT attempt', this.timeoutMs);
    unit.savepoint = own;
    try {
      const result = await this.savepoints.run(own, work);
      await send(unit, 'RELEASE SAVEPOINT attempt', this.timeoutMs);
      return result;
    } catch (error) {
      unit.afterCommit.length = announced;
      // A connection that is broken takes the whole unit of work with it.
      if (!unit.broken)
        await send(unit, 'ROLLBACK TO SAVEPOINT attempt; RELEASE SAVEPOINT attempt', this.timeoutMs);
      throw translateDatabaseError(error);
    } finally {
      unit.savepoint = outer;
    }
  }

  /** Calls `callback` once the open unit of work has committed, never when it rolls back; at once when none is open. */
  afterCommit(callback: AfterCommit): void {
    const unit = this.current();
    if (unit) unit.afterCommit.push(callback);
    else void this.runAfterCommit([callback]);
  }

  /** The connection of the open unit of work, for `Database` alone. */
  client(): LentConnection | undefined {
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
    // A rollback to the savepoint would silently take back what was done beside it.
    if (unit?.savepoint && unit.savepoint !== this.savepoints.getStore())
      throw new Error('A savepoint is open; await its end before anything else is done in this unit of work');
    return unit;
  }

  // Straight on pg: TypeORM's query runner costs as much as the statements of a short transaction.
  private async transaction<T, F>(
    work: (first: F) => Promise<T>,
    options: UnitOfWorkOptions<F>,
    attempt = 1,
  ): Promise<T> {
    const unit: OpenUnit = { client: await this.connect(), afterCommit: [], closed: false };
    unit.client.readOnly = options.readOnly ?? false;
    let result: T;
    let committing = false;
    try {
      const begun = send(unit, begin(options) + this.pool.prelude, this.timeoutMs);
      const [first] = await Promise.all([options.first && this.storage.run(unit, options.first), begun]);
      result = await this.storage.run(unit, () => work(first as F));
      unit.closed = true;
      committing = true;
      // PostgreSQL answers the COMMIT of a transaction in which a statement failed with a rollback, and with no error.
      if ((await send(unit, 'COMMIT', this.timeoutMs)).command !== 'COMMIT') {
        throw new Error(
          'A statement of this unit of work failed and its error was caught: nothing was committed',
        );
      }
    } catch (error) {
      unit.closed = true;
      await this.rollback(unit);
      // Once COMMIT has been sent nobody but PostgreSQL knows whether the work is done: doing it again could do it twice.
      const again = !committing && unit.client.outdated && options.repeatable !== false && attempt < ATTEMPTS;
      this.giveBack(unit);
      if (again) return this.transaction(work, options, attempt + 1);
      if (options.readOnly && isRefusedWrite(causeOf(error))) {
        throw new Error('A unit of work that is declared read-only tried to write', {
          cause: causeOf(error),
        });
      }
      throw translateDatabaseError(error);
    }
    this.giveBack(unit);
    if (unit.afterCommit.length > 0) await this.runAfterCommit(unit.afterCommit);
    return result;
  }

  private get pool(): ConnectionPool {
    return (this.dataSource.driver as unknown as { master: ConnectionPool }).master;
  }

  private async connect(): Promise<LentConnection> {
    queueOf(this.pool).refuseWhenFull();
    try {
      return pipelined(await this.pool.lend(), true);
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }

  private giveBack({ client, broken }: OpenUnit): void {
    // Whatever became of it: a COMMIT that nobody answered may have had its effect.
    if (!client.readOnly) this.recentWrites.note();
    client.readOnly = false;
    pipelined(client, false).release(broken);
  }

  private async rollback(unit: OpenUnit): Promise<void> {
    if (unit.broken) return;
    try {
      await askTraced(unit.client, 'ROLLBACK', this.timeoutMs);
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

/** What the driver said, also when a repository has passed it on translated. */
function causeOf(error: unknown): unknown {
  return error instanceof TransientError ? error.cause : error;
}

function begin({ isolation, readOnly }: UnitOfWorkOptions<unknown>): string {
  return `BEGIN${isolation ? ` ISOLATION LEVEL ${isolation}` : ''}${readOnly ? ' READ ONLY' : ''}`;
}

async function send(unit: OpenUnit, text: string, timeoutMs: number): Promise<pg.QueryResult> {
  try {
    return await askTraced(unit.client, text, timeoutMs);
  } catch (error) {
    if (breaksConnection(error)) unit.broken ??= error as Error;
    throw located(error);
  }
}

/**
 * Sends statements on this connection without waiting for the answers to those before, each with a Sync of its own
 * (https://node-postgres.com/features/pipelining); or not any more. Only for units of work: it makes single statements slower, and
 * cursors of pg-query-stream do not work with it.
 */
function pipelined(client: LentConnection, on: boolean): LentConnection {
  (client as { pipeline: boolean }).pipeline = on;
  return client;
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

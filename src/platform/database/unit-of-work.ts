import { Injectable, Logger } from '@nestjs/common';
import { RequestContext } from '../context/index.js';
import { TransientError } from '../errors/index.js';
import { isFast } from '../fast/index.js';
import { ATTEMPTS, ConnectionPool } from './connection-pool.js';
import { isRefusedWrite, translateDatabaseError } from './database.errors.js';
import {
  close,
  requireComplete,
  requireTerms,
  send,
  type AfterCommit,
  type OpenUnit,
  type UnitTerms,
} from './open-unit.js';
import {
  NothingCommittedError,
  refusalOf,
  type LentConnection,
  type Statement,
} from './pooled-connection.js';
import { savepoint } from './savepoint.js';

/** Values that pg can always send: one that cannot be sent would leave COMMIT to be sent without its statement. */
export type LastStatement = Statement & { values: (string | number | null)[] };

export interface UnitOfWorkOptions<F = undefined, T = unknown> extends UnitTerms {
  /**
   * Statements that are sent together with BEGIN instead of after its answer; `work` gets what they return. They must change
   * nothing: if BEGIN fails, they have run outside of the transaction.
   */
  first?: () => Promise<F>;
  /**
   * A statement that is sent together with COMMIT instead of before it, made of the result of `work`; undefined for none. If it
   * fails nothing is committed, and `run` throws its error.
   */
  last?: (result: T) => LastStatement | undefined;
}

/**
 * One transaction that everything called inside `run` joins, found through the asynchronous context instead of being passed
 * around (Fowler, "Patterns of Enterprise Application Architecture", Unit of Work). Keep it short: no network call inside.
 */
@Injectable()
export class UnitOfWork {
  private readonly logger = new Logger(UnitOfWork.name);

  constructor(private readonly pool: ConnectionPool) {}

  get isActive(): boolean {
    return this.pool.units.getStore() !== undefined;
  }

  /**
   * Runs `work` in a transaction: commits when it resolves, rolls back when it throws, and gives the connection back in
   * either case. After a migration or a failover `work` may be called more than once (`repeatable`). A `run` inside a `run` joins the outer one,
   * and is refused when it asks for what that does not have. What it did stays when it throws and the outer one catches that:
   * catch it around a `savepoint`.
   * @returns what `work` returns, once the commit is acknowledged.
   * @throws what `work` throws; `TransientError` when PostgreSQL is down, saturated, or chose this one to end a deadlock.
   */
  async run<T, F = undefined>(
    work: (first: F) => Promise<T>,
    options: UnitOfWorkOptions<F, T> = {},
  ): Promise<T> {
    const { unit } = this.pool;
    if (!unit) return this.transaction(work, options);
    requireTerms(unit, options);
    const result = await work((await options.first?.()) as F);
    const last = options.last?.(result);
    if (last) await this.pool.send(last);
    return result;
  }

  /**
   * Runs `work` so that its failure can be caught inside the open unit of work: its changes in the database are rolled back, and
   * earlier ones stay. Without a savepoint PostgreSQL rejects every statement after one that has failed. Costs two round trips,
   * so prefer `ON CONFLICT` where that is enough. Nothing else may use the unit of work until `work` ends.
   * @throws what `work` throws
   */
  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    const { unit } = this.pool;
    if (!unit) throw new Error('A savepoint needs an open unit of work');
    return savepoint(this.pool.units, unit, work);
  }

  /** Calls `callback` once the open unit of work has committed, never when it rolls back; at once when none is open. */
  afterCommit(callback: AfterCommit): void {
    const { unit } = this.pool;
    if (unit) unit.afterCommit.push(callback);
    else void this.runAfterCommit([callback]);
  }

  // Straight on pg: TypeORM's query runner costs as much as the statements of a short transaction.
  private async transaction<T, F>(
    work: (first: F) => Promise<T>,
    options: UnitOfWorkOptions<F, T>,
    attempt = 1,
  ): Promise<T> {
    const client = await this.connect();
    const unit: OpenUnit = { terms: options, client, afterCommit: [], closed: false, depth: 0 };
    client.readOnly = options.readOnly ?? false;
    let result: T;
    let committing = false;
    try {
      const begun = send(unit, begin(options) + this.pool.prelude);
      if (!isFast('pipelining')) await begun;
      const [first] = await Promise.all([options.first && this.pool.units.run(unit, options.first), begun]);
      result = await this.pool.units.run(unit, () => work(first as F));
      const last = options.last?.(result);
      requireComplete(unit);
      // Refused now or not at all: COMMIT is sent without waiting for it.
      const refused = last && refusalOf(RequestContext.current());
      if (refused) throw refused;
      unit.closed = true;
      committing = true;
      const [written, ended] = await Promise.allSettled([last && send(unit, last), send(unit, 'COMMIT')]);
      if (ended.status === 'rejected') {
        committing = !(ended.reason instanceof NothingCommittedError);
        if (committing || written.status === 'fulfilled') throw ended.reason;
      }
      if (written.status === 'rejected') throw written.reason;
    } catch (error) {
      close(unit);
      await this.rollback(unit);
      // Once COMMIT has been sent only PostgreSQL knows whether the work is done: another run could do it twice.
      const again = !committing && unit.client.outdated && options.repeatable !== false && attempt < ATTEMPTS;
      this.giveBack(unit);
      if (again) return this.transaction(work, options, attempt + 1);
      if (options.readOnly && isRefusedWrite(causeOf(error))) {
        throw new Error('A read-only unit of work tried to write', {
          cause: causeOf(error),
        });
      }
      throw translateDatabaseError(error);
    }
    this.giveBack(unit);
    if (unit.afterCommit.length > 0) await this.runAfterCommit(unit.afterCommit);
    return result;
  }

  private async connect(): Promise<LentConnection> {
    try {
      return pipelined(await this.pool.lend(), isFast('pipelining'));
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }

  private giveBack({ client }: OpenUnit): void {
    client.wrote = !client.readOnly;
    pipelined(client, false).giveBack();
  }

  private async rollback({ client }: OpenUnit): Promise<void> {
    if (client.unfit) return;
    try {
      await client.control('ROLLBACK');
    } catch (error) {
      this.logger.warn({ err: error }, 'Rollback failed; the connection is closed, which rolls back too');
      client.unfit ??= error as Error;
    }
  }

  private async runAfterCommit(callbacks: AfterCommit[]): Promise<void> {
    for (const callback of callbacks) {
      try {
        await callback();
      } catch (error) {
        // The change is committed, so the caller must not get an error.
        this.logger.error({ err: error }, 'An after-commit step failed');
      }
    }
  }
}

/** The driver's error, also when a repository has translated it. */
function causeOf(error: unknown): unknown {
  return error instanceof TransientError ? error.cause : error;
}

function begin({ isolation, readOnly }: UnitTerms): string {
  return `BEGIN${isolation ? ` ISOLATION LEVEL ${isolation}` : ''}${readOnly ? ' READ ONLY' : ''}`;
}

/**
 * Sends statements on this connection without waiting for earlier answers, each with its own Sync
 * (https://node-postgres.com/features/pipelining); or stops doing so. Only for units of work: it makes single statements slower,
 * and cursors of pg-query-stream do not work with it.
 */
function pipelined(client: LentConnection, on: boolean): LentConnection {
  (client as { pipeline: boolean }).pipeline = on;
  return client;
}

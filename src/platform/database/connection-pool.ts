import { AsyncLocalStorage } from 'node:async_hooks';
import pg from 'pg';
import type { Dependency } from '../resilience/index.js';
import { ConnectionQueue } from './connection-queue.js';
import {
  ConnectError,
  isLostStatement,
  isRefusedWrite,
  located,
  saturated,
  StandbyError,
  translateDatabaseError,
} from './database.errors.js';
import { requireOpen, type OpenUnit } from './open-unit.js';
import {
  PooledConnection,
  type ConnectionTerms,
  type LentConnection,
  type Statement,
} from './pooled-connection.js';
import { RecentWrites } from './recent-writes.js';

/**
 * After a refused write all connections are replaced, but not again at once: on a server that refuses writes as a whole
 * (`default_transaction_read_only`) new ones are no better.
 */
const DEMOTION_TAKES_MS = 1000;

/** How often work is started at most, when connections are outdated by a migration or a failover. */
export const ATTEMPTS = 3;

export interface ConnectionPoolOptions extends pg.PoolConfig, Partial<ConnectionTerms> {
  /** For replicas. Any other pool refuses connections to a standby: the primary's address then dates from before a failover. */
  acceptsStandby?: boolean;
  /** Settings that each transaction sets for itself. */
  limitsOfTransaction?: Record<string, number>;
  /** Its circuit breaker decides whether a connection is lent. */
  dependency?: Dependency;
}

type Lend = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  release: (unfit?: Error) => void,
) => void;
type Lent = (connection: LentConnection) => void;
type Failed = (error: Error) => void;

/**
 * The pool under TypeORM and named SQL. Waiting for a connection is bounded, in number and in time, and refused while the circuit is
 * open. When one connection turns out to be outdated, by a migration or a failover, so are all that were made before it: they are
 * replaced when they are next requested, instead of failing one request each.
 */
export class ConnectionPool extends pg.Pool {
  /** Which callers of this process have written through this pool, and when. */
  readonly recentWrites = new RecentWrites();
  /** The unit of work that is open on a connection of this pool, for `UnitOfWork` alone. */
  readonly units = new AsyncLocalStorage<OpenUnit>();
  readonly queue = new ConnectionQueue(this);
  /** The statement that each transaction begins with; empty where sessions have their limits from the start. */
  readonly prelude: string;

  private readonly dependency: Dependency | undefined;
  private readonly terms: ConnectionTerms;
  private generation = 0;
  private renewedAt = -Infinity;

  constructor({
    acceptsStandby = false,
    limitsOfTransaction = {},
    dependency,
    namedStatements = true,
    queryTimeoutMs = Infinity,
    metrics,
    ...options
  }: ConnectionPoolOptions = {}) {
    super({
      ...options,
      Client: PooledConnection,
      // pg-pool waits for the promise, whatever its types say.
      // oxlint-disable-next-line typescript/no-misused-promises
      onConnect: (client) => this.admit(client as PooledConnection, acceptsStandby),
    });
    this.dependency = dependency;
    this.terms = { namedStatements, queryTimeoutMs, metrics, writes: this.recentWrites };
    this.prelude = Object.entries(limitsOfTransaction)
      .map(([name, milliseconds]) => `; SET LOCAL ${name} = ${Math.trunc(milliseconds)}`)
      .join('');
    this.on('release', (_error, client) => this.settle(client as LentConnection));
  }

  /** The unit of work that is open in this asynchronous context. @throws Error when it has ended */
  get unit(): OpenUnit | undefined {
    const unit = this.units.getStore();
    if (unit) requireOpen(unit);
    return unit;
  }

  /**
   * Sends a statement on the connection of the open unit of work, or on any when none is open.
   * @throws TransientError, UniqueViolationError, or the driver's error
   */
  async send(statement: Statement): Promise<pg.QueryResult> {
    const { unit } = this;
    for (let attempt = 1; ; attempt += 1) {
      let connection = unit?.client;
      try {
        connection ??= await this.lend();
        return await connection.send(statement);
      } catch (error) {
        // Nothing was executed on an outdated connection, so the statement may be sent again on a newer one.
        if (unit || !connection?.outdated || attempt === ATTEMPTS)
          throw translateDatabaseError(located(error));
      } finally {
        if (!unit) connection?.giveBack();
      }
    }
  }

  /** What TypeORM calls. */
  override connect(): Promise<pg.PoolClient>;
  override connect(callback: Lend): void;
  override connect(callback?: Lend): Promise<pg.PoolClient> | void {
    if (!callback) return this.lend();
    this.acquire(
      (connection) => callback(undefined, connection, (error) => connection.giveBack(error)),
      (error) => callback(error, undefined, () => undefined),
    );
  }

  /**
   * A connection, by pg's callback and not by its promise; see `PooledConnection.dispatch`.
   * @throws TransientError `database-saturated` when none got free in time
   */
  lend(): Promise<LentConnection> {
    return new Promise((resolve, reject) => this.acquire(resolve, reject));
  }

  private acquire(lent: Lent, failed: Failed): void {
    if (this.queue.load >= 1) failed(saturated());
    else if (!this.dependency) this.take(lent, failed);
    else if (this.dependency.circuit === 'closed')
      this.dependency.admit((ended) => this.take(lent, failed, ended), failed);
    else this.awaitTrial(this.dependency, lent, failed);
  }

  /** While the circuit is half-open all others wait for the answer to one: not for longer than for a connection, nor more than may wait for that. */
  private awaitTrial(dependency: Dependency, lent: Lent, failed: Failed): void {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      failed(saturated());
    }, this.options.connectionTimeoutMillis);
    dependency.admit(
      (ended) => {
        clearTimeout(timer);
        if (!late && this.queue.load < 1) return this.take(lent, failed, ended);
        ended(saturated());
        if (!late) failed(saturated());
      },
      (error) => {
        clearTimeout(timer);
        if (!late) failed(error);
      },
    );
  }

  private take(lent: Lent, failed: Failed, ended?: LentConnection['ended'], since = performance.now()): void {
    super.connect((error, client, release) => {
      const connection = client as LentConnection | undefined;
      if (connection && connection.generation < this.generation) {
        release(true);
        this.take(lent, failed, ended, since);
        return;
      }
      this.terms.metrics?.waited(performance.now() - since);
      if (connection) {
        connection.ended = ended;
        lent(connection);
        return;
      }
      const late = error?.message === 'timeout exceeded when trying to connect';
      // A pool that we have ended ourselves says nothing about PostgreSQL.
      const failure = late ? saturated(error) : this.ending && error ? error : new ConnectError(error);
      ended?.(failure);
      failed(failure);
    });
  }

  private settle(connection: LentConnection): void {
    const { ended, outage, wrote } = connection;
    connection.ended = connection.outage = undefined;
    connection.wrote = connection.readOnly = false;
    // Whatever its outcome: a statement without an answer may have taken effect.
    if (wrote) this.recentWrites.note();
    ended?.(outage);
  }

  private async admit(connection: PooledConnection, acceptsStandby: boolean): Promise<void> {
    // pg-pool removes its error listener from a client while it is in use, and an `error` event without a listener ends the
    // process: the loss of PostgreSQL did that. The query itself reports it.
    connection.on('error', () => undefined);
    connection.generation = this.generation;
    connection.terms = this.terms;
    connection.messages.on('errorMessage', (error) => {
      connection.outdated ||= this.outdates(connection, error, acceptsStandby);
    });
    // PgBouncer repeats what the server reported at its first connection. The server may have been promoted since, so it is
    // asked.
    if (acceptsStandby || !connection.reportsStandby) return;
    const { rows } = await connection.control('SELECT pg_is_in_recovery() AS standby');
    if ((rows as { standby: boolean }[])[0]?.standby === true) throw new StandbyError();
  }

  private outdates(connection: PooledConnection, error: Error, acceptsStandby: boolean): boolean {
    // After a failed statement, those that were sent with it fail because it did; one has then not been prepared, either.
    if (connection.getTransactionStatus() === 'E') return false;
    const refusedWrite = isRefusedWrite(error) && !connection.readOnly && !acceptsStandby;
    if (!refusedWrite && !isLostStatement(error)) return false;
    // A late error of an old connection must not retire newer ones.
    if (connection.generation < this.generation) return true;
    const now = performance.now();
    if (refusedWrite && now - this.renewedAt < DEMOTION_TAKES_MS) return false;
    this.renewedAt = now;
    this.generation += 1;
    return true;
  }
}

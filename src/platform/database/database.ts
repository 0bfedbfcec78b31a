import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type pg from 'pg';
import { Settings } from '../../config/index.js';
import { ConnectionPool } from './connection-pool.js';
import { mayDifferElsewhere } from './database.errors.js';
import type { Statement } from './pooled-connection.js';
import { Replicas } from './replicas.js';
import { UnitOfWork } from './unit-of-work.js';

/**
 * Named SQL, for hot paths: on the connection of the open unit of work, on any of the pool otherwise. Statements with a `name` are
 * prepared once per connection. Other code uses TypeORM's repositories, which go through the same pool and join the same unit.
 */
@Injectable()
export class Database implements OnApplicationShutdown {
  private readonly logger = new Logger(Database.name);
  private readonly replicas: Replicas;

  constructor(
    private readonly pool: ConnectionPool,
    private readonly unitOfWork: UnitOfWork,
    @Inject(Settings) private readonly settings: Settings,
  ) {
    this.replicas = new Replicas(settings.database, pool.recentWrites);
  }

  /** Connections of the primary's pool: open, idle, and requests waiting for one. */
  get poolState(): { total: number; idle: number; waiting: number } {
    const { totalCount, idleCount, waitingCount } = this.pool;
    return { total: totalCount, idle: idleCount, waiting: waitingCount };
  }

  /** How full the queue for the primary's connections is: from 1 on, a request that joins it now is refused. */
  get queueLoad(): number {
    return this.pool.queue.load;
  }

  /**
   * Rows of a statement. A test compares their declared type with PostgreSQL (docs/decisions/0014-rows-of-named-sql.md).
   * @throws TransientError, UniqueViolationError, or the driver's error.
   */
  async query<T>(statement: Statement): Promise<T[]> {
    return (await this.send(statement)).rows as T[];
  }

  /** First row of a statement, or undefined. */
  async queryOne<T>(statement: Statement): Promise<T | undefined> {
    return (await this.send(statement)).rows[0] as T | undefined;
  }

  /** Number of rows that a statement changed. */
  async execute(statement: Statement): Promise<number> {
    return (await this.send(statement)).rowCount ?? 0;
  }

  /**
   * Rows of a read that tolerates replication lag of up to `DATABASE_REPLICA_MAX_LAG_MS`: from a replica that has the writes of
   * the current caller through this process, from the primary otherwise and whenever the replica fails. Inside a unit of work
   * always from its connection, so that it sees its own writes.
   */
  async read<T>(statement: Statement): Promise<T[]> {
    const replica = this.unitOfWork.isActive ? undefined : this.replicas.pick();
    if (!replica) return this.query<T>(statement);
    try {
      return (await replica.pool.send(statement)).rows as T[];
    } catch (error) {
      if (!mayDifferElsewhere(error)) throw error;
      replica.failed(error);
      this.logger.warn({ err: error }, 'A read replica failed; reading from the primary');
      return this.query<T>(statement);
    }
  }

  /** Ends the replicas' pools; TypeORM ends the primary's. */
  async onApplicationShutdown(): Promise<void> {
    await this.replicas.close();
  }

  /** A statement that may exceed the session's limit needs a transaction, in which alone PostgreSQL's limit is raised. */
  private send(statement: Statement): Promise<pg.QueryResult> {
    const { timeoutMs = 0 } = statement;
    if (timeoutMs <= this.settings.database.statementTimeoutMs) return this.pool.send(statement);
    return this.unitOfWork.run(async () => {
      await this.pool.send({
        name: 'statement-timeout',
        text: `SELECT set_config('statement_timeout', $1, true)`,
        values: [String(timeoutMs)],
      });
      return this.pool.send(statement);
    });
  }
}

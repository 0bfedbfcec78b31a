import { Inject, Injectable } from '@nestjs/common';
import type pg from 'pg';
import { Settings } from '../../config/index.js';
import { ConnectionPool } from './connection-pool.js';
import type { Statement } from './pooled-connection.js';
import { Replicas } from './replicas.js';
import { UnitOfWork } from './unit-of-work.js';

/**
 * Named SQL, for hot paths: on the connection of the open unit of work, on any of the pool otherwise. Statements with a `name` are
 * prepared once per connection. Other code uses TypeORM's repositories, which go through the same pool and join the same unit.
 */
@Injectable()
export class Database {
  constructor(
    private readonly pool: ConnectionPool,
    private readonly unitOfWork: UnitOfWork,
    private readonly replicas: Replicas,
    @Inject(Settings) private readonly settings: Settings,
  ) {}

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

  /** Rows of a read that tolerates replication lag; see `Replicas.read`. */
  async read<T>(statement: Statement): Promise<T[]> {
    return (await this.replicas.read(statement)).rows as T[];
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

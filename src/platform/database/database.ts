import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type pg from 'pg';
import { DataSource, type EntityManager } from 'typeorm';
import { Settings } from '../../config/index.js';
import { Policies, type Dependency } from '../resilience/index.js';
import { queueOf } from './connection-queue.js';
import type { ConnectionPool, LentConnection } from './connection-pool.js';
import type { Statement } from './connections.js';
import { breaksConnection, located, mayDifferElsewhere, translateDatabaseError } from './database.errors.js';
import { Replicas } from './replicas.js';
import { sendForRequest } from './send-for-request.js';
import { ATTEMPTS, UnitOfWork } from './unit-of-work.js';

/** A statement that may write; a word that is only the name of something costs a read from the primary. */
const WRITES = /\b(?:INSERT|UPDATE|DELETE|MERGE)\b/i;

/**
 * The way to PostgreSQL for every repository: the current unit of work's connection when one is open, the pool otherwise.
 * Hot statements carry a `name` and are prepared once per connection.
 */
@Injectable()
export class Database implements OnApplicationShutdown {
  private readonly logger = new Logger(Database.name);
  private readonly primary: ConnectionPool;
  private readonly replicas: Replicas;
  private readonly postgresql: Dependency;

  constructor(
    private readonly dataSource: DataSource,
    private readonly unitOfWork: UnitOfWork,
    policies: Policies,
    @Inject(Settings) private readonly settings: Settings,
  ) {
    this.postgresql = policies.for('postgresql');
    this.primary = (dataSource.driver as unknown as { master: ConnectionPool }).master;
    // A pool reports the death of an idle connection here; unheard, it would end the process.
    this.primary.on('error', (error) =>
      this.logger.warn({ err: error }, 'An idle database connection was lost'),
    );
    this.replicas = new Replicas(settings.database, unitOfWork.recentWrites);
  }

  /** TypeORM's manager, in the current unit of work when one is open. For what is not on a hot path. */
  get manager(): EntityManager {
    return this.unitOfWork.manager() ?? this.dataSource.manager;
  }

  /** Connections of the primary's pool: open, idle, and requests waiting for one. */
  get poolState(): { total: number; idle: number; waiting: number } {
    const { totalCount, idleCount, waitingCount } = this.primary;
    return { total: totalCount, idle: idleCount, waiting: waitingCount };
  }

  /** How full the queue for the primary's connections is: from 1 on, who asks now would wait in vain. */
  get queueLoad(): number {
    return queueOf(this.primary).load;
  }

  /** Rows of a statement. @throws TransientError, UniqueViolationError, or the driver's error. */
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
   * Rows of a read that tolerates replication lag of up to `DATABASE_REPLICA_MAX_LAG_MS`: from a replica when there is one that has
   * what the caller at hand has written through this process, from the primary otherwise and whenever the replica fails. Inside a
   * unit of work always from its connection, so that it sees its own writes.
   */
  async read<T>(statement: Statement): Promise<T[]> {
    const replica = this.unitOfWork.isActive ? undefined : this.replicas.pick();
    if (!replica) return this.query<T>(statement);
    try {
      return (await this.sendTo(replica.pool, statement)).rows as T[];
    } catch (error) {
      if (!mayDifferElsewhere(error)) throw translateDatabaseError(located(error));
      replica.failed(error);
      this.logger.warn({ err: error }, 'A read replica failed; reading from the primary');
      return this.query<T>(statement);
    }
  }

  /** Ends the replicas' pools; TypeORM ends the primary's. */
  async onApplicationShutdown(): Promise<void> {
    await this.replicas.close();
  }

  /** A statement that may take longer than a session's statements needs a transaction: for that alone PostgreSQL's limit is raised. */
  private send(statement: Statement): Promise<pg.QueryResult> {
    const { timeoutMs = 0 } = statement;
    if (timeoutMs <= this.settings.database.statementTimeoutMs) return this.sendNow(statement);
    return this.unitOfWork.run(async () => {
      await this.sendNow({
        name: 'statement-timeout',
        text: `SELECT set_config('statement_timeout', $1, true)`,
        values: [String(timeoutMs)],
      });
      return this.sendNow(statement);
    });
  }

  private async sendNow(statement: Statement): Promise<pg.QueryResult> {
    const client = this.unitOfWork.client();
    try {
      if (!client) return await this.sendToPrimary(statement);
      return await this.sendOn(client, statement, (reason) => this.unitOfWork.markBroken(reason));
    } catch (error) {
      if (client && breaksConnection(error)) this.unitOfWork.markBroken(error as Error);
      throw translateDatabaseError(located(error));
    }
  }

  private sendToPrimary(statement: Statement): Promise<pg.QueryResult> {
    const sent = this.postgresql.guard(() => this.sendTo(this.primary, statement));
    const { recentWrites } = this.unitOfWork;
    // Also after an error, because it may have had its effect.
    return recentWrites.kept && WRITES.test(statement.text) ? sent.finally(() => recentWrites.note()) : sent;
  }

  private async sendTo(pool: ConnectionPool, statement: Statement, attempt = 1): Promise<pg.QueryResult> {
    queueOf(pool).refuseWhenFull();
    const client = await pool.lend();
    let unfit: Error | undefined;
    try {
      return await this.sendOn(client, statement, (reason) => {
        unfit = reason;
      });
    } catch (error) {
      // Only what breaks the connection throws it away: pg-pool's own `query` would drop it after any refused row.
      if (breaksConnection(error)) unfit = error as Error;
      // Nothing was executed, so it may be sent again: on a connection that was made since.
      if (!client.outdated || attempt === ATTEMPTS) throw error;
    } finally {
      client.release(unfit);
    }
    return this.sendTo(pool, statement, attempt + 1);
  }

  private sendOn(
    client: LentConnection,
    statement: Statement,
    abandon: (reason: Error) => void,
  ): Promise<pg.QueryResult> {
    return sendForRequest(client, statement, this.settings.database.queryTimeoutMs, abandon);
  }
}

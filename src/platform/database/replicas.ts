import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type pg from 'pg';
import { Settings } from '../../config/index.js';
import type { DatabaseSettings } from '../../config/sections/database.settings.js';
import { OutageLog } from '../runtime/index.js';
import { ConnectionPool } from './connection-pool.js';
import { poolOptions } from './data-source.js';
import { isOutage, mayDifferElsewhere } from './database.errors.js';
import type { Statement } from './pooled-connection.js';

const COMPARE_EVERY_MS = 500;
/** A server that takes longer to report its position does not serve reads either. */
const ANSWER_WITHIN_MS = 700;
/** Positions of the primary that are remembered: longer than the longest lag that can be allowed. */
const POSITIONS_KEPT = 150;
const WRITTEN = "SELECT (pg_current_wal_flush_lsn() - '0/0')::bigint AS bytes";
const REPLAYED = "SELECT (pg_last_wal_replay_lsn() - '0/0')::bigint AS bytes";

/** Written by TypeORM, and by people who want to write. What a query does by its functions or its WITH is not seen here. */
const WRITE = /^\s*(?:INSERT|UPDATE|DELETE|MERGE|TRUNCATE)\b/i;

/** How far the primary's log was, in bytes, at a moment of this process's clock. */
interface Position {
  at: number;
  bytes: number;
}

/** One read replica. */
export class Replica {
  readonly pool: ConnectionPool;
  readonly probe: ConnectionPool;
  /** It shows everything that was committed before this moment. */
  caughtUpTo = -Infinity;
  readonly outage: OutageLog;

  constructor(url: string, settings: DatabaseSettings, logger: Logger) {
    this.outage = new OutageLog(logger, {
      begins: 'A read replica does not answer; reading elsewhere',
      ends: 'A read replica answers again',
    });
    this.pool = new ConnectionPool({
      ...poolOptions(settings, url, 'replica-reader'),
      acceptsStandby: true,
    });
    this.pool.on('error', (error) => logger.warn({ err: error }, 'An idle replica connection was lost'));
    this.probe = probeOf(settings, url, true);
  }

  /** Records an error of the replica: one that is down is not used until it answers again. */
  failed(error: unknown): void {
    if (isOutage(error)) this.caughtUpTo = -Infinity;
  }
}

/**
 * The read replicas, and how far each has replayed. Twice a second the primary is asked for its WAL position and each replica for
 * the position that it has replayed: no clocks are compared, and a replica that no longer receives anything falls behind like any
 * other. A replica that does not answer, is behind, or is none (`pg_last_wal_replay_lsn()` is null) gets no reads.
 */
@Injectable()
export class Replicas implements OnApplicationShutdown {
  private readonly logger = new Logger(Replicas.name);
  private readonly replicas: Replica[];
  private readonly probe: ConnectionPool;
  private readonly maxLagMs: number;
  /** Newest last. */
  private readonly positions: Position[] = [];
  private readonly timer: NodeJS.Timeout | undefined;
  private comparing: Promise<void> | undefined;

  constructor(
    private readonly primary: ConnectionPool,
    @Inject(Settings) { database }: Settings,
  ) {
    this.replicas = database.replicaUrls.map((url) => new Replica(url, database, this.logger));
    this.probe = probeOf(database, database.url, false);
    this.maxLagMs = database.replicaMaxLagMs;
    if (this.replicas.length === 0) return;
    primary.recentWrites.kept = true;
    this.compare();
    this.timer = setInterval(() => this.compare(), COMPARE_EVERY_MS).unref();
  }

  /**
   * Sends a read that tolerates replication lag of up to `DATABASE_REPLICA_MAX_LAG_MS`: to a replica that has the writes of the
   * current caller through this process, to the primary otherwise and whenever the replica fails. Inside a unit of work always on
   * its connection, so that it sees its own writes.
   * @throws Error for a write, with and without a replica: what a replica rejects has to fail where there is none, too
   */
  async read(statement: Statement): Promise<pg.QueryResult> {
    if (WRITE.test(statement.text))
      throw new Error('A read that tolerates lag cannot write; write and begin transactions on the primary');
    const replica = this.primary.unit ? undefined : this.pick();
    if (!replica) return this.primary.send(statement);
    try {
      return await replica.pool.send(statement);
    } catch (error) {
      if (!mayDifferElsewhere(error)) throw error;
      replica.failed(error);
      this.logger.warn({ err: error }, 'A read replica failed; reading from the primary');
      return this.primary.send(statement);
    }
  }

  /** One that is not further behind than allowed, and shows the writes of the current caller. */
  private pick(): Replica | undefined {
    if (this.replicas.length === 0) return undefined;
    const from = Math.max(performance.now() - this.maxLagMs, this.primary.recentWrites.ofCaller);
    const fit = this.replicas.filter(({ caughtUpTo }) => caughtUpTo > from);
    return fit[Math.floor(Math.random() * fit.length)];
  }

  /** Ends the replicas' pools; TypeORM ends the primary's. */
  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.comparing;
    await Promise.all(
      [this.probe, ...this.replicas.flatMap(({ pool, probe }) => [pool, probe])].map((pool) => pool.end()),
    );
  }

  private compare(): void {
    this.comparing ??= this.comparison()
      .catch((error: unknown) =>
        this.logger.debug({ err: error }, 'The primary did not report its WAL position'),
      )
      .finally(() => {
        this.comparing = undefined;
      });
  }

  private async comparison(): Promise<void> {
    // Taken before the query: everything committed until now is in the log up to the answered position.
    const at = performance.now();
    const bytes = await positionOf(this.probe, WRITTEN);
    this.positions.push({ at, bytes: bytes ?? Infinity });
    if (this.positions.length > POSITIONS_KEPT) this.positions.shift();
    await Promise.all(this.replicas.map((replica) => this.follow(replica)));
    this.primary.recentWrites.forgetBefore(Math.min(...this.replicas.map(({ caughtUpTo }) => caughtUpTo)));
  }

  private async follow(replica: Replica): Promise<void> {
    try {
      const replayed = await positionOf(replica.probe, REPLAYED);
      const shown = replayed === null ? undefined : this.positions.findLast(({ bytes }) => bytes <= replayed);
      replica.caughtUpTo = shown?.at ?? -Infinity;
      replica.outage.recovered();
    } catch (error) {
      replica.caughtUpTo = -Infinity;
      replica.outage.failed(error);
    }
  }
}

/** A separate connection from those that serve requests: a busy pool must not look like a replica that is down. */
function probeOf(settings: DatabaseSettings, url: string, acceptsStandby: boolean): ConnectionPool {
  const pool = new ConnectionPool({
    ...poolOptions(settings, url, 'replica-probe'),
    acceptsStandby,
    max: 1,
    connectionTimeoutMillis: ANSWER_WITHIN_MS,
    queryTimeoutMs: ANSWER_WITHIN_MS,
  });
  pool.on('error', () => undefined);
  return pool;
}

async function positionOf(pool: ConnectionPool, text: string): Promise<number | null> {
  const { rows } = await pool.send({ text });
  return (rows as { bytes: number | null }[])[0]?.bytes ?? null;
}

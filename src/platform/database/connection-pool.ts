import pg from 'pg';
import { ConnectError, isLostStatement, isRefusedWrite, saturated, StandbyError } from './database.errors.js';

/**
 * After a refused write all connections are replaced, but not again at once: on a server that refuses writes as a whole
 * (`default_transaction_read_only`) new ones are no better.
 */
const DEMOTION_TAKES_MS = 1000;

export interface ConnectionPoolOptions extends pg.PoolConfig {
  /** For replicas. Any other pool refuses connections to a standby: a primary's address that leads to one is of before a failover. */
  acceptsStandby?: boolean;
  /** What each transaction is to set for itself. */
  limitsOfTransaction?: Record<string, number>;
  /** Default: true. */
  namedStatements?: boolean;
}

type ServerMessages = {
  connection: {
    on(
      event: 'parameterStatus',
      listener: (status: { parameterName: string; parameterValue: string }) => void,
    ): void;
    on(event: 'errorMessage', listener: (error: Error) => void): void;
  };
};

/** A connection that knows whether it can still be used. */
export class PooledConnection extends pg.Client {
  /** It has got an error that every connection of its age will get: what failed by it may be sent again on another. */
  outdated = false;
  /** The transaction at hand is to write nothing. */
  readOnly = false;
  /** What the server says of itself at connect (`in_hot_standby`, PostgreSQL 14 and later). */
  reportsStandby = false;
  generation = 0;
  /** Whether statements with a name are prepared under it. */
  namedStatements = true;

  constructor(config?: string | pg.ClientConfig) {
    super(config);
    (this as unknown as ServerMessages).connection.on(
      'parameterStatus',
      ({ parameterName, parameterValue }) => {
        if (parameterName === 'in_hot_standby') this.reportsStandby = parameterValue === 'on';
      },
    );
  }
}

/** A connection on loan; `release` it. */
export type LentConnection = PooledConnection & pg.PoolClient;
type Lend = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  release: (unfit?: Error | boolean) => void,
) => void;

/**
 * The pool under TypeORM and named SQL. When one connection turns out to be outdated, by a migration or a failover, all that were made
 * before are: they are replaced when they are asked for the next time, instead of failing one request each.
 */
export class ConnectionPool extends pg.Pool {
  private generation = 0;
  private renewedAt = -Infinity;

  /** What a transaction has to begin with; empty where sessions have their limits from the start. */
  readonly prelude: string;

  constructor({
    acceptsStandby = false,
    namedStatements = true,
    limitsOfTransaction = {},
    ...options
  }: ConnectionPoolOptions = {}) {
    super({
      ...options,
      Client: PooledConnection,
      // pg-pool waits for the promise, whatever its types say.
      // oxlint-disable-next-line typescript/no-misused-promises
      onConnect: async (client) => {
        // pg-pool takes its error listener off a client while somebody uses it, and an `error` event that nobody hears ends the
        // process: so did the loss of PostgreSQL. The query itself reports it.
        client.on('error', () => undefined);
        const connection = client as PooledConnection;
        connection.generation = this.generation;
        connection.namedStatements = namedStatements;
        connection.readOnly = acceptsStandby;
        (client as unknown as ServerMessages).connection.on('errorMessage', (error) => {
          connection.outdated ||= this.outdates(connection, error);
        });
        if (!acceptsStandby && connection.reportsStandby && (await isStandby(connection)))
          throw new StandbyError();
      },
    });
    this.prelude = Object.entries(limitsOfTransaction)
      .map(([name, milliseconds]) => `; SET LOCAL ${name} = ${Math.trunc(milliseconds)}`)
      .join('');
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: Lend): void;
  override connect(callback?: Lend): Promise<pg.PoolClient> | void {
    if (!callback) return this.lend();
    super.connect((error, client, release) => {
      if (client && (client as LentConnection).generation < this.generation) {
        release(true);
        this.connect(callback);
      } else callback(error, client, release);
    });
  }

  /**
   * A connection, by pg's callback and not by its promise; see `ask`.
   * @throws TransientError `database-saturated` when none got free in time
   */
  lend(): Promise<LentConnection> {
    return new Promise((resolve, reject) => {
      this.connect((error, client) => {
        if (client) resolve(client as LentConnection);
        else if (error?.message === 'timeout exceeded when trying to connect') reject(saturated(error));
        else reject(new ConnectError(error));
      });
    });
  }

  private outdates(connection: PooledConnection, error: Error): boolean {
    const refusedWrite = isRefusedWrite(error) && !connection.readOnly;
    if (!refusedWrite && !isLostStatement(error)) return false;
    // A late error of an old connection must not retire those that were made since.
    if (connection.generation < this.generation) return true;
    const now = performance.now();
    if (refusedWrite && now - this.renewedAt < DEMOTION_TAKES_MS) return false;
    this.renewedAt = now;
    this.generation += 1;
    return true;
  }
}

/** PgBouncer repeats what the server said when it first connected to it, which may have been promoted since: so the server is asked. */
async function isStandby(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
  return rows[0]?.standby === true;
}

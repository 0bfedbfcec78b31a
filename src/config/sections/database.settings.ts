import { IsArray, IsInt, IsOptional, Max, Min } from 'class-validator';
import { POSTGRESQL_TLS } from '../encryption.js';
import { PLACEHOLDER } from '../placeholder.js';
import { Setting } from '../setting.decorator.js';
import { IsConnectionUrl, IsReadableFile } from '../validators.js';

export class DatabaseSettings {
  @Setting('DATABASE_URL', {
    default: (product) => `postgresql://${product}:${PLACEHOLDER}password@127.0.0.1:5432/${product}`,
    secret: true,
    required: true,
    encrypted: POSTGRESQL_TLS,
    describe: 'PostgreSQL primary.',
  })
  @IsConnectionUrl(['postgres:', 'postgresql:'])
  url!: string;

  @Setting('DATABASE_APPLICATION_NAME', {
    default: (product) => product,
    describe: 'Name of the connections in pg_stat_activity, followed by what each is for.',
  })
  applicationName!: string;

  @Setting('DATABASE_REPLICA_URLS', {
    default: [],
    secret: true,
    encrypted: POSTGRESQL_TLS,
    describe:
      'Streaming read replicas, for reads that tolerate replication lag. One more connection per server and process measures the lag.',
  })
  @IsArray()
  @IsConnectionUrl(['postgres:', 'postgresql:'], { each: true })
  replicaUrls!: string[];

  @Setting('DATABASE_TLS_CA', {
    describe:
      'File with the CA certificates (PEM) for PostgreSQL, instead of those of Node.js. TLS with verification of certificate and name is used when the URLs have sslmode=verify-full.',
  })
  @IsOptional()
  @IsReadableFile()
  tlsCa?: string;

  @Setting('DATABASE_TLS_CERT', {
    describe: 'File with the client certificate (PEM) for PostgreSQL.',
  })
  @IsOptional()
  @IsReadableFile()
  tlsCert?: string;

  @Setting('DATABASE_TLS_KEY', { describe: 'File with the key (PEM) of the client certificate.' })
  @IsOptional()
  @IsReadableFile()
  tlsKey?: string;

  @Setting('DATABASE_TLS_SERVER_NAME', {
    describe: 'Name in the certificate of PostgreSQL, if it differs from the host in the URL.',
  })
  @IsOptional()
  tlsServerName?: string;

  @Setting('DATABASE_TRANSACTION_POOLER', {
    default: false,
    describe:
      'Set to true when the URLs point to PgBouncer in transaction mode: limits are then set in each transaction, not at connect. See docs/operations/pgbouncer.md.',
  })
  transactionPooler!: boolean;

  @Setting('DATABASE_NAMED_STATEMENTS', {
    default: true,
    describe: 'Prepare hot statements once per connection. Set to false behind PgBouncer older than 1.21.',
  })
  namedStatements!: boolean;

  @Setting('DATABASE_REPLICA_MAX_LAG_MS', {
    default: 5000,
    describe: 'Maximum replication lag; a replica that is further behind gets no reads.',
  })
  @IsInt()
  @Min(1000)
  @Max(60_000)
  replicaMaxLagMs!: number;

  @Setting('DATABASE_POOL_SIZE', {
    default: 10,
    describe: 'Maximum number of connections per process and server.',
  })
  @IsInt()
  @Min(1)
  @Max(500)
  poolSize!: number;

  @Setting('DATABASE_ACQUIRE_TIMEOUT_MS', {
    default: 600,
    describe: 'How long a request waits for a connection before it is answered 503.',
  })
  @IsInt()
  @Min(10)
  @Max(60_000)
  acquireTimeoutMs!: number;

  @Setting('DATABASE_QUERY_TIMEOUT_MS', {
    default: 1200,
    describe:
      'How long a query may go unanswered before its connection is closed; limits the wait for a frozen server.',
  })
  @IsInt()
  @Min(50)
  @Max(600_000)
  queryTimeoutMs!: number;

  @Setting('DATABASE_STATEMENT_TIMEOUT_MS', { default: 1100, describe: 'statement_timeout of the sessions.' })
  @IsInt()
  @Min(50)
  @Max(600_000)
  statementTimeoutMs!: number;

  @Setting('DATABASE_LOCK_TIMEOUT_MS', { default: 900, describe: 'lock_timeout of the sessions.' })
  @IsInt()
  @Min(10)
  @Max(600_000)
  lockTimeoutMs!: number;

  @Setting('DATABASE_IDLE_IN_TRANSACTION_TIMEOUT_MS', {
    default: 10_000,
    describe: 'idle_in_transaction_session_timeout of the sessions.',
  })
  @IsInt()
  @Min(100)
  @Max(600_000)
  idleInTransactionTimeoutMs!: number;
}

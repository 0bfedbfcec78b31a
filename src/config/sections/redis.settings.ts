import { IsArray, IsInt, IsOptional, Max, Min } from 'class-validator';
import { byProtocol } from '../encryption.js';
import { Setting } from '../setting.decorator.js';
import { IsConnectionUrl, IsHostAndPort, IsReadableFile } from '../validators.js';

export class RedisSettings {
  @Setting('REDIS_URL', {
    default: 'redis://127.0.0.1:6379',
    secret: true,
    required: true,
    encrypted: byProtocol('rediss:'),
    describe:
      'Redis or Valkey (noeviction) for queues, cache and rate limits; one server, no Cluster. `rediss://` for TLS.',
  })
  @IsConnectionUrl(['redis:', 'rediss:'])
  url!: string;

  @Setting('REDIS_SENTINELS', {
    default: [],
    describe:
      'Sentinels (`host:port`) that name the primary. Scheme, user, password and database are taken from REDIS_URL; its host is ignored.',
  })
  @IsArray()
  @IsHostAndPort({ each: true })
  sentinels!: string[];

  @Setting('REDIS_SENTINEL_NAME', { default: 'mymaster', describe: 'Name of the primary at the Sentinels.' })
  sentinelName!: string;

  @Setting('REDIS_SENTINEL_PASSWORD', { secret: true, describe: 'Password of the Sentinels themselves.' })
  @IsOptional()
  sentinelPassword?: string;

  @Setting('REDIS_TLS_CA', {
    describe: 'File with the CA certificates (PEM) for Redis, instead of those of Node.js.',
  })
  @IsOptional()
  @IsReadableFile()
  tlsCa?: string;

  @Setting('REDIS_TLS_CERT', { describe: 'File with the client certificate (PEM) for Redis.' })
  @IsOptional()
  @IsReadableFile()
  tlsCert?: string;

  @Setting('REDIS_TLS_KEY', { describe: 'File with the key (PEM) of the client certificate.' })
  @IsOptional()
  @IsReadableFile()
  tlsKey?: string;

  @Setting('REDIS_TLS_SERVER_NAME', {
    describe: 'Name in the certificate of Redis, if it differs from the host in REDIS_URL.',
  })
  @IsOptional()
  tlsServerName?: string;

  @Setting('REDIS_COMMAND_TIMEOUT_MS', {
    default: 250,
    describe: 'How long a request waits for Redis before it continues without it.',
  })
  @IsInt()
  @Min(10)
  @Max(10_000)
  commandTimeoutMs!: number;

  @Setting('QUEUE_PREFIX', { default: (product) => `{${product}}`, describe: 'Prefix of all Redis keys.' })
  prefix!: string;
}

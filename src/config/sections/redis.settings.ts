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
      'Sentinels (`host:port`) that name the primary. Scheme, user, password and database are still those of REDIS_URL; its host is not used.',
  })
  @IsArray()
  @IsHostAndPort({ each: true })
  sentinels!: string[];

  @Setting('REDIS_SENTINEL_NAME', { default: 'mymaster', describe: 'What the Sentinels call the primary.' })
  sentinelName!: string;

  @Setting('REDIS_SENTINEL_PASSWORD', { secret: true, describe: 'Password of the Sentinels themselves.' })
  @IsOptional()
  sentinelPassword?: string;

  @Setting('REDIS_TLS_CA', {
    describe:
      'File with the certificates (PEM) that Redis is trusted by, in place of those that Node.js brings.',
  })
  @IsOptional()
  @IsReadableFile()
  tlsCa?: string;

  @Setting('REDIS_TLS_CERT', { describe: 'File with the client certificate (PEM) that Redis may ask for.' })
  @IsOptional()
  @IsReadableFile()
  tlsCert?: string;

  @Setting('REDIS_TLS_KEY', { describe: 'File with the key (PEM) of the client certificate.' })
  @IsOptional()
  @IsReadableFile()
  tlsKey?: string;

  @Setting('REDIS_TLS_SERVER_NAME', {
    describe: 'Name in the certificate of Redis, where it is not the host of REDIS_URL.',
  })
  @IsOptional()
  tlsServerName?: string;

  @Setting('REDIS_COMMAND_TIMEOUT_MS', {
    default: 250,
    describe: 'How long a request waits for Redis before it goes on without.',
  })
  @IsInt()
  @Min(10)
  @Max(10_000)
  commandTimeoutMs!: number;

  @Setting('QUEUE_PREFIX', { default: (product) => `{${product}}`, describe: 'Prefix of all keys.' })
  prefix!: string;
}

import { IsInt, Max, Min } from 'class-validator';
import { Setting } from '../setting.decorator.js';
import { IsConnectionUrl } from '../validators.js';

export class RedisSettings {
  @Setting('REDIS_URL', {
    default: 'redis://127.0.0.1:6379',
    secret: true,
    describe: 'Redis or Valkey (noeviction) for queues, cache and rate limits.',
  })
  @IsConnectionUrl(['redis:', 'rediss:'])
  url!: string;

  @Setting('REDIS_COMMAND_TIMEOUT_MS', {
    default: 250,
    describe: 'How long a request waits for Redis before it goes on without.',
  })
  @IsInt()
  @Min(10)
  @Max(10_000)
  commandTimeoutMs!: number;

  @Setting('QUEUE_PREFIX', {
    default: '{holdfast}',
    describe: 'Prefix of all keys; the braces keep them in one slot of a Redis Cluster.',
  })
  prefix!: string;
}

import { IsInt, Max, Min } from 'class-validator';
import { Setting } from '../setting.decorator.js';

export class CacheSettings {
  @Setting('CACHE_TTL_SECONDS', {
    default: 60,
    describe: 'How long a cached value counts as fresh (jittered by 10 %).',
  })
  @IsInt()
  @Min(1)
  @Max(86_400)
  ttlSeconds!: number;

  @Setting('CACHE_LOCAL_TTL_MS', {
    default: 1000,
    describe:
      'How long a process uses its own copy before it asks Redis; limits how stale an instance can be.',
  })
  @IsInt()
  @Min(0)
  @Max(60_000)
  localTtlMs!: number;

  @Setting('CACHE_LOCAL_BYTES', {
    default: 16_777_216,
    describe: 'Memory for the copies that a process keeps, per cache.',
  })
  @IsInt()
  @Min(65_536)
  @Max(4_294_967_296)
  localBytes!: number;

  @Setting('CACHE_STALE_SECONDS', {
    default: 86_400,
    describe: 'How long a stale copy is kept, to be served during an outage of PostgreSQL.',
  })
  @IsInt()
  @Min(1)
  @Max(2_592_000)
  staleSeconds!: number;
}

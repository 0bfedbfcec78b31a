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
      'How long a process trusts its own copy before it asks Redis: the bound on staleness between instances.',
  })
  @IsInt()
  @Min(0)
  @Max(60_000)
  localTtlMs!: number;

  @Setting('CACHE_LOCAL_BYTES', {
    default: 16_777_216,
    describe: 'Memory that a process spends on its own copies, for each cache.',
  })
  @IsInt()
  @Min(65_536)
  @Max(4_294_967_296)
  localBytes!: number;

  @Setting('CACHE_STALE_SECONDS', {
    default: 86_400,
    describe: 'How long a stale copy is kept for an outage of PostgreSQL.',
  })
  @IsInt()
  @Min(1)
  @Max(2_592_000)
  staleSeconds!: number;
}

import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { RedisConnection } from '../redis/index.js';
import { statisticsOf } from './cache-statistics.js';
import { ReadThroughCache, type CacheOptions } from './read-through-cache.js';
import { SharedCopies } from './shared-copies.js';

/** Makes caches with the times of the settings. */
@Injectable()
export class CacheFactory implements OnApplicationShutdown {
  private readonly shared: SharedCopies[] = [];

  constructor(
    private readonly redis: RedisConnection,
    @Inject(Settings) private readonly settings: Settings,
  ) {}

  /**
   * A cache over Redis whose values carry a version: fresh for `CACHE_TTL_SECONDS`, trusted by a process for
   * `CACHE_LOCAL_TTL_MS`, kept for outages of the source for `CACHE_STALE_SECONDS`.
   */
  create<T>(options: CacheOptions<T> & { versionOf(value: T): number }): ReadThroughCache<T> {
    const { ttlSeconds, localTtlMs, localBytes, staleSeconds } = this.settings.cache;
    const copies = new SharedCopies(this.redis, options.name, staleSeconds * 1000);
    this.shared.push(copies);
    const times = { ttlMs: ttlSeconds * 1000, localTtlMs, staleMs: staleSeconds * 1000, localBytes };
    return new ReadThroughCache(options, times, statisticsOf(options.name), copies);
  }

  /**
   * A cache within the process, for values with too many keys to be shared (pages of a list): fresh for `CACHE_LOCAL_TTL_MS`,
   * which is also how late it sees changes of other processes.
   */
  createLocal<T>(options: CacheOptions<T>): ReadThroughCache<T> {
    const { localTtlMs, localBytes, staleSeconds } = this.settings.cache;
    const times = { ttlMs: localTtlMs / 0.9, localTtlMs, staleMs: staleSeconds * 1000, localBytes };
    return new ReadThroughCache(options, times, statisticsOf(options.name));
  }

  onApplicationShutdown(): void {
    for (const copies of this.shared) copies.close();
  }
}

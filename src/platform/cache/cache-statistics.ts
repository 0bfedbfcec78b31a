import { Counter, register } from 'prom-client';

/**
 * How the reads of one cache were answered: by the process's own copy, by the copy in Redis, by joining a load under way, by
 * loading, or by a copy known to be outdated.
 */
export class CacheStatistics {
  local = 0;
  shared = 0;
  joined = 0;
  loaded = 0;
  stale = 0;
}

const METRIC = 'cache_reads_total';
const byCache = new Map<string, CacheStatistics>();

/**
 * The statistics of the cache of that name, exported as `cache_reads_total`. They are plain numbers, collected when the metrics
 * are scraped: a labelled counter would cost more than the read from memory that it counts.
 */
export function statisticsOf(cache: string): CacheStatistics {
  let statistics = byCache.get(cache);
  if (!statistics) {
    statistics = new CacheStatistics();
    byCache.set(cache, statistics);
  }
  if (!register.getSingleMetric(METRIC)) exportStatistics();
  return statistics;
}

function exportStatistics(): void {
  new Counter({
    name: METRIC,
    help: 'Cache reads by source: local, shared (Redis), joined (a load in progress), loaded, stale.',
    labelNames: ['cache', 'result'],
    collect() {
      this.reset();
      for (const [cache, statistics] of byCache) {
        for (const [result, count] of Object.entries(statistics))
          this.inc({ cache, result }, count as number);
      }
    },
  });
}

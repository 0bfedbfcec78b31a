import { register } from 'prom-client';
import { expect, it } from 'vitest';
import { statisticsOf } from './cache-statistics.js';

it('exports the counters of caches, by cache and result', async () => {
  const things = statisticsOf('things');
  things.local += 3;
  things.stale += 1;
  expect(statisticsOf('things')).toBe(things);
  await register.metrics();
  things.local += 1;
  const lines = (await register.getSingleMetricAsString('cache_reads_total')).split('\n');
  expect(lines).toContain('cache_reads_total{cache="things",result="local"} 4');
  expect(lines).toContain('cache_reads_total{cache="things",result="stale"} 1');
  expect(lines).toContain('cache_reads_total{cache="things",result="loaded"} 0');
});

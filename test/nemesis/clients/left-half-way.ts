import { Redis } from 'ioredis';
import type { Rig } from '../rig.ts';

/** What the platform has left half-way, in words. */
export async function leftHalfWay(rig: Rig): Promise<string[]> {
  const counted = await rig.truth.query<{ what: string; count: string }>(`
    SELECT 'events or jobs that nobody has handled' AS what, count(*) FROM outbox_events AS event
      WHERE EXISTS (SELECT FROM unnest(event.consumers) AS told (consumer)
        WHERE NOT EXISTS (SELECT FROM inbox WHERE event_id = event.id AND inbox.consumer = told.consumer)
          AND NOT EXISTS (SELECT FROM dead_letters WHERE event_id = event.id AND dead_letters.consumer = told.consumer))
    UNION ALL SELECT 'events that were not relayed', count(*) FROM outbox_events WHERE relayed_at IS NULL
    UNION ALL SELECT 'keys whose work is running', count(*) FROM idempotency_records WHERE status IS NULL
    UNION ALL SELECT 'open transactions', count(*) FROM pg_stat_activity
      WHERE datname = 'holdfast' AND pid <> pg_backend_pid() AND xact_start < now() - interval '5 seconds'`);
  const inDatabase = counted.filter(({ count }) => Number(count) > 0);
  return [...inDatabase.map(({ what, count }) => `${count} ${what}`), ...(await waitingJobs(rig))];
}

/** Jobs that wait, or are being run: of workers that are idle there are none. */
async function waitingJobs(rig: Rig): Promise<string[]> {
  const redis = new Redis(rig.redis.primary.url(), { lazyConnect: true, maxRetriesPerRequest: 0 });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    const keys = await redis.keys('*');
    const left: string[] = [];
    for (const key of keys.filter((name) => /:(wait|active|prioritized|paused)$/.test(name))) {
      const count = (await redis.type(key)) === 'list' ? await redis.llen(key) : await redis.zcard(key);
      if (count > 0) left.push(`${count} jobs in ${key}`);
    }
    return left;
  } finally {
    redis.disconnect();
  }
}

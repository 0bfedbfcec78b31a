import { setTimeout as delay } from 'node:timers/promises';
import { now } from './load/recorder.ts';
import type { RequestTemplate } from './load/plan.ts';
import type { LoadResult, Window } from './load/load-result.ts';
import type { Stage } from './stage.ts';

/** Enough clients to keep everything busy, few enough that nobody is refused. */
const CLIENTS = 48;
const SETTLING_MS = 2_000;

/** What the product can do at most with such requests, here and now: so many clients ask as fast as they are answered. */
export async function measureCapacity(
  stage: Stage,
  requests: RequestTemplate[],
  forMs: number,
): Promise<{ peak: Window; result: LoadResult }> {
  const load = stage.load.start({
    streams: [
      { name: 'capacity', ports: stage.ports, requests, pace: { kind: 'closed', connections: CLIENTS } },
    ],
  });
  await delay(SETTLING_MS);
  const from = now();
  await delay(forMs);
  const to = now();
  const result = await load.stop();
  return { peak: result.between({ from, to }), result };
}

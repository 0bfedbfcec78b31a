import { setTimeout as delay } from 'node:timers/promises';
import { CpuMeter } from './cpu-meter.ts';
import { now } from './load/recorder.ts';
import type { RequestTemplate } from './load/plan.ts';
import type { LoadResult, Window } from './load/load-result.ts';
import type { Stage } from './stage.ts';

/** Enough clients to keep everything busy, few enough that nobody is refused. */
const CLIENTS = 48;
/** Code that runs for the first time is slow; a peak measured too early would be easy to keep up with. */
const SETTLING_MS = 3_000;

/**
 * What the product can do at most with such requests, here and now: so many clients ask as fast as they are answered.
 * `cpu` tells who was busy, in cores.
 */
export async function measureCapacity(
  stage: Stage,
  requests: RequestTemplate[],
  forMs: number,
): Promise<{ peak: Window; result: LoadResult; cpu: string }> {
  const load = stage.load.start({
    streams: [
      { name: 'capacity', ports: stage.ports, requests, pace: { kind: 'closed', connections: CLIENTS } },
    ],
  });
  await delay(SETTLING_MS);
  const from = now();
  const meter = new CpuMeter(stage);
  await delay(forMs);
  const cpu = meter.describe();
  const to = now();
  const result = await load.stop();
  return { peak: result.between({ from, to }), result, cpu };
}

import { setTimeout as delay } from 'node:timers/promises';
import type { Interval } from './load/load-result.ts';
import { now } from './load/recorder.ts';

/** Lets time pass. @returns when that was */
export async function during(milliseconds: number): Promise<Interval> {
  const from = now();
  await delay(milliseconds);
  return { from, to: now() };
}

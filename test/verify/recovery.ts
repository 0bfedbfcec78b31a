import type { Interval, StreamResult, Window } from './load/load-result.ts';
import { BUCKET_MS } from './load/recorder.ts';
import { ms } from './wording.ts';

/** Below this a service does not count as slow, whatever its latency was before. */
const ALWAYS_FINE_MS = 100;

/** Nothing refused, nothing failed, and p99 at most twice what it was in quiet times (or below 100 ms). */
export function isNormal(window: Window, quiet: Window): boolean {
  return window.refused === 0 && window.failed === 0 && window.p99 <= Math.max(2 * quiet.p99, ALWAYS_FINE_MS);
}

/** How long after `from` the last request was due that was refused or failed; 0 when none was. */
export function troubleAfter(result: StreamResult, { from, to }: Interval): number {
  const last = result.buckets
    .filter(({ at, refused, failures }) => {
      const failed = Object.values(failures).some((times) => times > 0);
      return at >= from && at < to && (refused > 0 || failed);
    })
    .reduce((latest, { at }) => Math.max(latest, at + BUCKET_MS), from);
  return last - from;
}

export function describeWindow({ refused, failed, p99 }: Window): string {
  return `${refused} rejected, ${failed} failed, p99 ${ms(p99)}`;
}

import type { Stage } from '../stage/stage.ts';
import type { PlannedRequest } from './requests.ts';
import { load } from './wrk.ts';
import type { LoadResult } from './wrk.ts';

/** Some 400 requests a second: what an api does on an ordinary day, and far from what it can do. */
const CONNECTIONS = 8;
const PACE_MS = 20;

/** Reads at an even pace, to see how long an answer takes while something else goes on. */
export function pacedReads(
  stage: Stage,
  url: string,
  requests: readonly PlannedRequest[],
  seconds: number,
): Promise<LoadResult> {
  return load({
    url,
    requests,
    seconds,
    connections: CONNECTIONS,
    paceMs: PACE_MS,
    directory: stage.directory,
  });
}

import type { Testbed } from '../testbed/testbed.ts';
import type { RequestTemplate } from '../../local/requests.ts';
import { load } from './wrk.ts';
import type { LoadResult } from './wrk.ts';

/** About 400 requests a second: an ordinary load of an api, far below its capacity. */
const CONNECTIONS = 8;
const PACE_MS = 20;

/** Reads at an even pace, to measure the latency while something else runs. */
export function pacedReads(
  testbed: Testbed,
  url: string,
  requests: readonly RequestTemplate[],
  seconds: number,
): Promise<LoadResult> {
  return load({
    url,
    requests,
    seconds,
    connections: CONNECTIONS,
    paceMs: PACE_MS,
    directory: testbed.directory,
  });
}

import { judgeCachedReads, type SeenVersion } from '../../checker/cached-reads.ts';
import { successes } from '../../invariants/attempts.ts';
import type { Verdict } from '../../invariant.ts';
import type { Judged } from './evidence.ts';

export const statement =
  'A cached product shows a version that existed, never an older one than the process has shown before, and none from before the time to live, unless it says so';

export function check({ history, final }: Judged): Verdict {
  const last = new Map(final.products.map(({ id, version }) => [id, version]));
  const read = successes<SeenVersion>(history, 'read-product');
  return judgeCachedReads(read, successes<SeenVersion>(history, 'change'), last);
}

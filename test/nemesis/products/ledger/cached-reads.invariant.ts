import { judgeCachedReads, type SeenVersion } from '../../checker/cached-reads.ts';
import type { Verdict } from '../../invariant.ts';
import { successes, type Judged } from './evidence.ts';

export const statement =
  'A cached account shows a version that existed, never an older one than the process has shown before, and none from before the time to live, unless it says so';

export function check({ history, final }: Judged): Verdict {
  const last = new Map(final.accounts.map(({ id, version }) => [id, version]));
  const read = successes<SeenVersion>(history, 'read-account');
  return judgeCachedReads(read, successes<SeenVersion>(history, 'change'), last);
}

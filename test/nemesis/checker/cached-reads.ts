import type { Operation } from '../history.ts';
import type { Evidence, Verdict } from '../invariant.ts';

/** `CACHE_TTL_SECONDS`, with its jitter, and five seconds for a slow machine. */
const TIME_TO_LIVE_MS = 71_000;

/** What a read through the cache showed, or a change answered. */
export interface SeenVersion {
  version: number;
  balance: number;
  name: string;
  /** Shown although it is known to be outdated. */
  stale: boolean;
  /** The process that answered: api and process id. Undefined if it was replaced meanwhile. */
  process?: string;
}

type Seen = Operation & { value: SeenVersion };

/** @param last the version of each object in the end */
export function judgeCachedReads(
  reads: readonly Seen[],
  changes: readonly Seen[],
  last: ReadonlyMap<string, number>,
): Verdict {
  const violations: Evidence[] = [];
  const report = (what: string, { object, requestId }: Seen): void =>
    void violations.push({ what, about: [object, requestId].filter((one) => one !== undefined) });

  const contents = new Map<string, string>();
  for (const seen of [...changes, ...reads]) {
    const { id, object, value } = seen;
    const content = `${value.balance} "${value.name}"`;
    const version = `${object} ${value.version}`;
    const before = contents.get(version) ?? content;
    contents.set(version, before);
    if (before !== content)
      report(
        `Version ${value.version} of ${object} is ${before} and also ${content} (operation ${id})`,
        seen,
      );
    if (!(value.version >= 1 && value.version <= last.get(object!)!))
      report(`${object} was shown in version ${value.version}, which never existed (operation ${id})`, seen);
  }

  const fresh = reads.filter(({ value }) => !value.stale);
  for (const [object, mine] of Map.groupBy(fresh, (read) => read.object)) {
    const written = changes.filter((change) => change.object === object);
    const known = newestBefore([...written, ...mine], ({ value }) => value.process);
    const everywhere = newestBefore(written, () => 'everywhere');
    for (const read of mine) {
      const { value, invokedAt, at, id } = read;
      const shown = value.process === undefined ? 0 : known(value.process, invokedAt);
      if (value.version < shown)
        report(`${at} showed version ${value.version} of ${object} after ${shown} (operation ${id})`, read);
      const old = everywhere('everywhere', invokedAt - TIME_TO_LIVE_MS);
      if (value.version < old)
        report(
          `${at} showed version ${value.version} of ${object} long after ${old} (operation ${id})`,
          read,
        );
    }
  }
  return {
    counted: `${reads.length} cached reads, ${reads.length - fresh.length} of them marked as stale`,
    violations,
  };
}

/** The newest version that had been answered before a moment, for each group. */
function newestBefore(
  all: readonly Seen[],
  groupOf: (seen: Seen) => string | undefined,
): (group: string, moment: number) => number {
  const groups = new Map<string, { at: number; newest: number }[]>();
  for (const seen of all.toSorted((a, b) => a.completedAt! - b.completedAt!)) {
    const group = groupOf(seen);
    if (group === undefined) continue;
    const list = groups.get(group) ?? [];
    list.push({ at: seen.completedAt!, newest: Math.max(seen.value.version, list.at(-1)?.newest ?? 0) });
    groups.set(group, list);
  }
  return (group, moment) => groups.get(group)?.findLast(({ at }) => at < moment)?.newest ?? 0;
}

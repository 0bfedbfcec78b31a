import type { Verdict } from '../invariant.ts';
import type { Probed, Rig } from '../rig.ts';

export const statement =
  'A process that is well and not ready starts, drains, or is alone cut off: that a dependency is down is no reason';

/**
 * Longer than one check of the dependencies holds (they are checked every second): one answer that came too late on a busy machine
 * proves nothing.
 */
const LONGER_THAN_MS = 1_250;
/** A process that answers liveness later than this is not well, and what it thinks of others is no evidence. */
const WELL_WITHIN_MS = 500;
const BEFORE_MS = 1_000;

export function check({ rig: { probes } }: { rig: Pick<Rig, 'probes'> }): Verdict {
  const judged = probes.filter(({ path, excused }) => path === '/health/ready' && !excused);
  const refused = judged.filter(({ status }) => status !== 200 && status !== 0);
  const strange = refused.filter(({ status }) => status !== 503);
  return {
    counted: `${judged.length} probes, ${refused.length} of them not ready`,
    violations: [
      ...strange.map((probe) => ({ probe, until: '' })),
      ...stretches(judged)
        .filter((stretch) => lasted(stretch) > LONGER_THAN_MS && wasWell(stretch, probes))
        .map((stretch) => ({ probe: stretch[0]!, until: ` to ${Math.round(stretch.at(-1)!.at)}` })),
    ].map(({ probe: { process, at, status, says = '' }, until }) => ({
      what: `${process} answered readiness with ${status} at ${Math.round(at)}${until} ms: ${says.slice(0, 300)}`,
      about: [],
    })),
  };
}

/** Probes in a row that a process refused for the sake of a dependency. */
function stretches(judged: readonly Probed[]): Probed[][] {
  const found: Probed[][] = [];
  for (const mine of Map.groupBy(judged, ({ process }) => process).values()) {
    let stretch: Probed[] = [];
    for (const probe of mine.toSorted((a, b) => a.at - b.at)) {
      if (blamesDependency(probe)) {
        if (stretch.length === 0) found.push(stretch);
        stretch.push(probe);
      } else stretch = [];
    }
  }
  return found;
}

function blamesDependency({ status, says = '' }: Probed): boolean {
  return status === 503 && !/"(starting|draining)"|cutOffAlone/.test(says);
}

function lasted(stretch: readonly Probed[]): number {
  return stretch.at(-1)!.at - stretch[0]!.at;
}

function wasWell(stretch: readonly Probed[], probes: readonly Probed[]): boolean {
  const [{ process, at: from }, to] = [stretch[0]!, stretch.at(-1)!.at];
  return probes
    .filter((probe) => probe.process === process && probe.path === '/health/live')
    .filter(({ at }) => at > from - BEFORE_MS && at < to)
    .every(({ status, tookMs }) => status === 200 && tookMs < WELL_WITHIN_MS);
}

import type { Aftermath, Verdict } from '../invariant.ts';
import type { Probed } from '../rig.ts';

export const statement = 'Liveness never fails: only a process that a fault holds down is silent';

/** How long a process may be silent before that proves anything: the machine is busy. */
const SILENCE_MS = 10_000;

export function check({ rig: { probes } }: { rig: Pick<Aftermath['rig'], 'probes'> }): Verdict {
  const judged = probes.filter(({ path, excused }) => path === '/health/live' && !excused);
  const wrong = judged.filter(({ status }) => status !== 200 && status !== 0);
  return {
    counted: `${judged.length} probes`,
    violations: [
      ...wrong.map(({ process, at, status }) => ({
        what: `${process} answered liveness with ${status} at ${seconds(at)}`,
        about: [],
      })),
      ...silences(probes.filter(({ path }) => path === '/health/live')).map(({ process, from, to }) => ({
        what: `${process} did not answer liveness from ${seconds(from)} to ${seconds(to)}`,
        about: [],
      })),
    ],
  };
}

/** Stretches of probes without an answer; an excused one ends them. */
function silences(probes: readonly Probed[]): { process: string; from: number; to: number }[] {
  const found: { process: string; from: number; to: number }[] = [];
  for (const [process, mine] of Map.groupBy(probes, (probe) => probe.process)) {
    let from: number | undefined;
    for (const { at, status, excused } of mine.toSorted((a, b) => a.at - b.at)) {
      if (status !== 0 || excused) from = undefined;
      else if (from === undefined) from = at;
      else if (at - from > SILENCE_MS) {
        found.push({ process, from, to: at });
        from = undefined;
      }
    }
  }
  return found;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}

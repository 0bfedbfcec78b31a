import type { Verdict } from '../invariant.ts';
import type { Rig } from '../rig.ts';

export const statement =
  'A process that is not ready starts, drains, or is alone cut off: that a dependency is down is no reason';

export function check({ rig: { probes } }: { rig: Pick<Rig, 'probes'> }): Verdict {
  const judged = probes.filter(({ path, excused }) => path === '/health/ready' && !excused);
  const refused = judged.filter(({ status }) => status !== 200 && status !== 0);
  return {
    counted: `${judged.length} probes, ${refused.length} of them not ready`,
    violations: refused
      .filter(({ status, says = '' }) => status !== 503 || !/"(starting|draining)"|cutOffAlone/.test(says))
      .map(({ process, at, status, says = '' }) => ({
        what: `${process} answered readiness with ${status} at ${Math.round(at)} ms: ${says.slice(0, 300)}`,
        about: [],
      })),
  };
}

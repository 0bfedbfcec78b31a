import type { Aftermath, Verdict } from '../invariant.ts';

export const statement =
  'No process ends that nobody has ended, and none that is asked to ends with an error';

export function check({ rig }: { rig: Pick<Aftermath['rig'], 'unexpectedEnds' | 'processes'> }): Verdict {
  return {
    counted: `${rig.processes.size} processes`,
    violations: rig.unexpectedEnds.map((what) => ({ what, about: [] })),
  };
}

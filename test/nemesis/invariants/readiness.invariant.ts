import type { Aftermath, Verdict } from '../invariant.ts';
import { APIS, type Probed } from '../rig.ts';

export const statement =
  'Never do all running api instances leave the load balancer: a dependency that is down for all leaves them ready';

/** Answers of both within such a time count as given at once. */
const AT_ONCE_MS = 400;
/** For so long in a row: less could be two instances that are cut off one after the other. */
const LEFT_MS = 1_500;

export function check({ rig: { probes } }: { rig: Pick<Aftermath['rig'], 'probes'> }): Verdict {
  const judged = probes.filter(
    ({ path, status, excused }) => path === '/health/ready' && !excused && status !== 0,
  );
  const [first, ...others] = APIS.map((api) =>
    judged.filter(({ process }) => process === api).toSorted((a, b) => a.at - b.at),
  );
  const allLeft = (first ?? []).map(({ at, status }) => ({
    at,
    left: status !== 200 && others.every((answers) => hasLeft(answers, at)),
  }));
  return {
    counted: `${judged.length} probes`,
    violations: stretches(allLeft).map(({ from, to }) => ({
      what: `No api was ready from ${(from / 1_000).toFixed(1)} to ${(to / 1_000).toFixed(1)} s, although they were running`,
      about: [],
    })),
  };
}

/** An instance that does not run, or gave no answer, proves nothing. */
function hasLeft(answers: readonly Probed[], at: number): boolean {
  const then = answers.filter((answer) => Math.abs(answer.at - at) < AT_ONCE_MS);
  return then.length > 0 && then.every(({ status }) => status !== 200);
}

function stretches(moments: readonly { at: number; left: boolean }[]): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  let from: number | undefined;
  let to = 0;
  const end = (): void => {
    if (from !== undefined && to - from >= LEFT_MS) found.push({ from, to });
    from = undefined;
  };
  for (const { at, left } of moments) {
    if (!left) end();
    else {
      from ??= at;
      to = at;
    }
  }
  end();
  return found;
}

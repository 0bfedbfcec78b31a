import { compareRates, rateMeasure } from '../harness/rates.ts';
import type { Side } from '../harness/rates.ts';
import { openFilled } from '../testbed/open-filled.ts';
import type { Subject } from '../subject.ts';
import type { Workload } from '../workload.ts';

const FAST_PATHS = ['batched-writes', 'array-members', 'shared-timer', 'pg-callbacks', 'pipelining'];

export const fastPaths = (subject: Subject): Workload => ({
  name: 'fast-paths',
  title: 'What each optimisation gains, on the read of one record',
  onDemand: true,
  run: async (bench) => {
    const { testbed, api, reads } = await openFilled(bench, subject);
    const sides: Side[] = [{ ...api, name: 'all of them' }];
    const without = async (name: string, off: string[]): Promise<void> => {
      const env = { FAST_PATHS_OFF: off.join() };
      const { url, pid } = await testbed.api(env, `holdfast-without-${name}`);
      sides.push({ name: `without ${name}`, url, pid });
    };
    for (const name of FAST_PATHS) await without(name, [name]);
    await without('any', FAST_PATHS);
    const measured = await compareRates(bench, testbed, sides, { requests: await reads() });
    return { measures: sides.map(({ name }, index) => rateMeasure(name, measured[index] ?? [])), checks: [] };
  },
});

import { compareRates, rateMeasure } from '../harness/rates.ts';
import type { Side } from '../harness/rates.ts';
import { openBothSides } from '../testbed/open-filled.ts';
import { NO_PRACTICAL_LIMIT } from '../testbed/testbed.ts';
import type { Subject } from '../subject.ts';
import type { Workload } from '../workload.ts';

const NO_TRACING = { OTEL_EXPORTER_OTLP_ENDPOINT: undefined };
const NO_ACCESS_LOG = { LOG_LEVEL: 'warn' };
/** Callers are counted as usual, but the first lease suffices. */
const NO_LEASES = { RATE_LIMIT_REQUESTS: String(NO_PRACTICAL_LIMIT) };

/** The product without one of the features that can be switched off or made idle; never for the bars. */
const WITHOUT = {
  'without tracing': NO_TRACING,
  'without access log': NO_ACCESS_LOG,
  'without leases': NO_LEASES,
  'without all three': { ...NO_TRACING, ...NO_ACCESS_LOG, ...NO_LEASES },
};

export const featureCosts = (subject: Subject): Workload => ({
  name: 'feature-costs',
  title: 'Cost of features, on the read of one record',
  onDemand: true,
  run: async (bench) => {
    const { testbed, sides, reads } = await openBothSides(bench, subject);
    const all: Side[] = [...sides];
    for (const [name, env] of Object.entries(WITHOUT)) {
      const { url, pid } = await testbed.api(env, `holdfast-${name.replaceAll(' ', '-')}`);
      all.push({ name, url, pid });
    }
    const requests = await reads();
    const measured = await compareRates(bench, testbed, all, { requests });
    return { measures: all.map(({ name }, index) => rateMeasure(name, measured[index] ?? [])), checks: [] };
  },
});

import { compareRates, rateMeasure } from '../harness/rates.ts';
import type { Side } from '../harness/rates.ts';
import { pairwise } from '../harness/statistics.ts';
import { openFilled } from '../testbed/open-filled.ts';
import type { Subject } from '../subject.ts';
import type { Workload } from '../workload.ts';

export const tracing = (subject: Subject): Workload => ({
  name: 'tracing',
  title: 'Tracing at its default sampling against no tracing, on the read of one record',
  run: async (bench) => {
    const { testbed, api, reads } = await openFilled(bench, subject);
    const untraced = await testbed.api({ OTEL_EXPORTER_OTLP_ENDPOINT: undefined }, 'holdfast-untraced');
    const requests = await reads();
    const sides: Side[] = [
      { ...api, name: 'traced' },
      { name: 'untraced', url: untraced.url, pid: untraced.pid },
    ];
    const [on = [], off = []] = await compareRates(bench, testbed, sides, { requests });
    const received = await testbed.tracesReceived();
    if (received.exports === 0) throw new Error('The collector received nothing: tracing was off');
    return {
      measures: [rateMeasure('traced', on), rateMeasure('untraced', off)],
      checks: [
        pairwise(
          'throughput of untraced',
          on.map(({ perSecond }) => perSecond),
          off.map(({ perSecond }) => perSecond),
          { atLeast: 0.9 },
        ),
      ],
      notes: [`The collector received ${Math.round(received.bytes / 1024).toLocaleString('en')} KiB.`],
    };
  },
});

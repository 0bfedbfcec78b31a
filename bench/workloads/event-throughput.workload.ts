import { alternate } from '../harness/alternate.ts';
import { cpuMicroseconds } from '../harness/process-usage.ts';
import { pairwise } from '../harness/statistics.ts';
import { addEvents, databaseNow, recorded } from '../testbed/events.ts';
import type { Workload } from '../workload.ts';

const BACKLOG = 20_000;
const WARM_UP = 4_000;

export const eventThroughput: Workload = {
  name: 'event-throughput',
  title: `Outbox to handler, a backlog of ${BACKLOG.toLocaleString('en')} events`,
  run: async (bench) => {
    const testbed = await bench.open();
    const { sql } = testbed;
    const worker = await testbed.extendedWorker('extended/event-worker.ts');
    const bare = await testbed.reference('bare/worker.ts');

    const timed = async (pid: number, consumer: string, events: number, begin: () => Promise<number>) => {
      const cpu = cpuMicroseconds(pid);
      const started = await begin();
      const seconds = ((await recorded(sql, consumer, events)) - started) / 1000;
      return { perSecond: events / seconds, cpu: (cpuMicroseconds(pid) - cpu) / events };
    };
    const ours = (events: number) =>
      timed(worker.pid, 'bench', events, async () => {
        await addEvents(sql, { name: 'bench.happened', consumer: 'bench', count: events });
        return databaseNow(sql);
      });
    const theirs = (events: number) =>
      timed(bare.pid, 'bare', events, async () => {
        const started = await databaseNow(sql);
        await bare.command('/', { events });
        return started;
      });
    const prepare = () => sql.query('TRUNCATE outbox_events, inbox');
    const [product = [], reference = []] = await alternate(bench, [
      { name: 'holdfast', prepare, warmUp: () => ours(WARM_UP), measure: () => ours(BACKLOG) },
      { name: 'bare BullMQ', prepare, warmUp: () => theirs(WARM_UP), measure: () => theirs(BACKLOG) },
    ]);
    const rates = (rounds: typeof product): number[] => rounds.map(({ perSecond }) => perSecond);
    const cpus = (rounds: typeof product): number[] => rounds.map(({ cpu }) => cpu);
    return {
      measures: [
        { side: 'holdfast', unit: 'events/s', rounds: rates(product), cpu: cpus(product) },
        { side: 'bare BullMQ', unit: 'jobs/s', rounds: rates(reference), cpu: cpus(reference) },
      ],
      checks: [pairwise('throughput of bare', rates(product), rates(reference), { atLeast: 0.7 })],
      notes: [
        'Both run 10 jobs at once in one process, and commit the same row of the inbox in a transaction of its own.',
        'Holdfast claims the events from the outbox and adds them to the queue; bare adds its jobs directly, in batches of the same size, in the same process. CPU is per event.',
      ],
    };
  },
};

import { startSinkProcess } from '../../local/outside-services.ts';
import { alternate } from '../harness/alternate.ts';
import { pairwise } from '../harness/statistics.ts';
import { announce, databaseNow, recorded } from '../testbed/events.ts';
import type { Subject } from '../subject.ts';
import type { Workload } from '../workload.ts';

/** The mail server's time for each mail. A worker that runs ten jobs at once can then do a hundred a second. */
const MAIL_MS = 100;
const JOBS_PER_SECOND_OF_ONE = 100;

export const twoWorkers = (subject: Subject): Workload => ({
  name: 'two-workers',
  title: `Two worker processes against one, with mails that take ${MAIL_MS} ms each`,
  run: async (bench) => {
    const testbed = await bench.open();
    const { sql } = testbed;
    const sink = await startSinkProcess({ slowMs: MAIL_MS });
    testbed.onClose(() => sink.stop());
    await sink.setMood('slow');
    const { event, table } = subject.mail;
    const [caller] = (await subject.fill(sql, { callers: 1, things: 1, records: 0 })).callers;
    const env = { SMTP_URL: sink.url };
    await testbed.worker(env);
    const second = await testbed.worker(env, 'holdfast-worker-2');
    await second.stop();

    const jobs = JOBS_PER_SECOND_OF_ONE * bench.seconds;
    const run = async (): Promise<number> => {
      await announce(
        sql,
        event,
        Array.from({ length: jobs }, () => event.payload(String(caller))),
      );
      const started = await databaseNow(sql);
      const last = await recorded(sql, event.consumer, jobs);
      return jobs / ((last - started) / 1000);
    };
    const clear = () => sql.query(`TRUNCATE outbox_events, inbox, ${table}`);
    const [one = [], two = []] = await alternate(bench, [
      {
        name: 'one worker',
        prepare: async () => {
          await clear();
          if (second.isRunning) await second.stop();
        },
        warmUp: run,
        measure: run,
      },
      {
        name: 'two workers',
        prepare: async () => {
          await clear();
          if (!second.isRunning) await second.startAgain();
        },
        warmUp: run,
        measure: run,
      },
    ]);
    return {
      measures: [
        { side: 'one worker', unit: 'jobs/s', rounds: one },
        { side: 'two workers', unit: 'jobs/s', rounds: two },
      ],
      checks: [pairwise('two workers, of one', two, one, { atLeast: 1.6 })],
      notes: ['The mails of the product, with 10 concurrent jobs per process.'],
    };
  },
});

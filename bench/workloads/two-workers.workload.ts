import { startSinkProcess } from '../../local/outside-services.ts';
import { waitFor } from '../../local/wait-for.ts';
import { alternate } from '../harness/alternate.ts';
import { pairwise } from '../harness/statistics.ts';
import { databaseNow } from '../stage/events.ts';
import { fillShop } from '../stage/shop.ts';
import type { Workload } from '../workload.ts';

/** The mail server's time for each mail. A worker that runs ten jobs at once can then do a hundred a second. */
const MAIL_MS = 100;
const JOBS_PER_SECOND_OF_ONE = 100;

export const twoWorkers: Workload = {
  name: 'two-workers',
  title: `Two worker processes against one, on mails that take ${MAIL_MS} ms each`,
  run: async (bench) => {
    const stage = await bench.open();
    const { sql } = stage;
    const sink = await startSinkProcess({ slowMs: MAIL_MS });
    stage.onClose(() => sink.stop());
    await sink.setMood('slow');
    const [customer] = (await fillShop(sql, { customers: 1, products: 1, orders: 0 })).customers;
    const env = { SMTP_URL: sink.url };
    await stage.worker(env);
    const second = await stage.worker(env, 'holdfast-worker-2');
    await second.stop();

    const jobs = JOBS_PER_SECOND_OF_ONE * bench.seconds;
    const run = async (): Promise<number> => {
      await sql.query(
        `INSERT INTO outbox_events (id, name, consumers, payload)
         SELECT uuidv7(), 'order.placed', '{notifications}',
           json_build_object('orderId', uuidv7(), 'userId', $1::text, 'amount', 4200, 'currency', 'EUR')
         FROM generate_series(1, $2::int)`,
        [customer, jobs],
      );
      const started = await databaseNow(sql);
      const { last } = await waitFor(
        async () => {
          const { rows } = await sql.query<{ count: number; last: number }>(
            `SELECT count(*)::int AS count, (extract(epoch FROM max(sent_at)) * 1000)::float8 AS last
             FROM notifications WHERE status = 'sent'`,
          );
          return rows[0]?.count === jobs && rows[0];
        },
        { within: 120_000, every: 100, what: `${jobs} mails` },
      );
      return jobs / ((last - started) / 1000);
    };
    const clear = () => sql.query('TRUNCATE outbox_events, inbox, notifications');
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
      checks: [pairwise('two of one', two, one, { atLeast: 1.6 })],
      notes: ['The notifications that ship, with 10 jobs at once in each process.'],
    };
  },
};

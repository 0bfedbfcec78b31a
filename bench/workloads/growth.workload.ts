import pg from 'pg';
import { alternate } from '../harness/alternate.ts';
import type { RequestTemplate } from '../../local/requests.ts';
import type { Bench } from '../harness/bench.ts';
import { pairwise } from '../harness/statistics.ts';
import { load } from '../harness/wrk.ts';
import { addEvents, relayed } from '../testbed/events.ts';
import { NO_PRACTICAL_LIMIT } from '../testbed/testbed.ts';
import type { Testbed } from '../testbed/testbed.ts';
import type { Subject } from '../subject.ts';
import type { Check, Measure, Workload } from '../workload.ts';

const CALLERS = 10;
const SIZES = { small: 10_000, big: 1_000_000 };
/** Events that wait, and events that have been relayed and are still kept. */
const BACKLOGS = { small: 10_000, big: 100_000 };
/** The relay's batch: the first one begins the measured time, so that what it moves does not count. */
const BATCH = 500;
const BAR = { atMost: 1.2 };
const PAGES = ['first page of a caller', 'deep page of a caller', 'deep page of all callers'] as const;

/** The same product in two sizes, each with its own database, api and worker. */
interface Size {
  name: string;
  sql: pg.Client;
  url: string;
  env: Record<string, string>;
  requests: RequestTemplate[][];
}

export const growth = (subject: Subject): Workload => ({
  name: 'growth',
  title: 'Ten thousand records against a million: pages, and the relay with a backlog',
  run: async (bench) => {
    const testbed = await bench.open({ rateLimit: NO_PRACTICAL_LIMIT });
    const small = await openSize(bench, testbed, subject, 'small');
    const big = await openSize(bench, testbed, subject, 'big');
    const measures: Measure[] = [];
    const checks: Check[] = [];
    const add = (what: string, unit: string, few: number[], many: number[]): void => {
      measures.push({ side: `${what}, small`, unit, rounds: few });
      measures.push({ side: `${what}, big`, unit, rounds: many });
      checks.push(pairwise(what, many, few, BAR));
    };

    for (const [index, what] of PAGES.entries()) {
      if (small.requests[index] === undefined) continue;
      const page = (size: Size) => async () => {
        const requests = size.requests[index] ?? [];
        const { url } = size;
        const result = await load({
          url,
          requests,
          seconds: 1,
          connections: 1,
          directory: testbed.directory,
        });
        return 1000 / result.perSecond;
      };
      const [few = [], many = []] = await alternate(
        bench,
        [small, big].map((size) => ({
          name: `${what}, ${size.name}`,
          warmUp: page(size),
          measure: page(size),
        })),
        // Half the time of a round: there are three pages, and the time of one at a time varies little.
        bench.turnsOf(2),
      );
      add(what, 'ms/page', few, many);
    }

    await startRelays(testbed, [small, big]);
    const [few = [], many = []] = await alternate(bench, [
      relay(testbed, small, BACKLOGS.small),
      relay(testbed, big, BACKLOGS.big),
    ]);
    add('relay', 'µs/event', few, many);
    return {
      measures,
      checks,
      notes: [
        `${SIZES.small.toLocaleString('en')} and ${SIZES.big.toLocaleString('en')} records of ${CALLERS} callers; deep pages start at random positions in the second half.`,
        `The relay has ${BACKLOGS.small.toLocaleString('en')} and ${BACKLOGS.big.toLocaleString('en')} waiting events in a table of ${SIZES.small.toLocaleString('en')} and ${SIZES.big.toLocaleString('en')} relayed ones.`,
      ],
    };
  },
});

async function openSize(
  bench: Bench,
  testbed: Testbed,
  subject: Subject,
  name: keyof typeof SIZES,
): Promise<Size> {
  bench.say(`filling tables, ${name}`);
  const { postgres } = testbed.stack;
  const env: Record<string, string> = { DATABASE_URL: postgres.url(name), QUEUE_PREFIX: `{bench-${name}}` };
  await testbed.sql.query(`CREATE DATABASE ${name} OWNER "holdfast"`);
  const migrated = await testbed.stack.cli(['migrate'], env);
  if (migrated.code !== 0) throw new Error(`cli migrate failed: ${migrated.stdout}${migrated.stderr}`);
  const sql = new pg.Client({ connectionString: postgres.adminUrl(name) });
  await sql.connect();
  testbed.onClose(() => sql.end());
  const { callers } = await subject.fill(sql, { callers: CALLERS, things: 100, records: SIZES[name] });
  const { url } = await testbed.api(env, `holdfast-api-${name}`);

  const tokens = new Map(callers.map((id) => [id, testbed.tokens.of(id)]));
  const admin = testbed.tokens.of(String(callers[0]), 'admin');
  const { listAll } = subject;
  const { table, owner } = subject.records;
  // One record in so many, so that there are two hundred places to begin at.
  const places = await sql.query<{ id: string; caller: string }>(
    `SELECT id, caller FROM (SELECT id, ${owner} AS caller, row_number() OVER (ORDER BY id) AS n FROM ${table}) AS numbered
     WHERE n < $1::int / 2 AND n % ($1::int / 400 + 1) = 0`,
    [SIZES[name]],
  );
  return {
    name,
    sql,
    url,
    env,
    requests: [
      [...tokens.values()].map((token) => subject.list.request(token)),
      places.rows.map(({ id, caller }) => subject.list.request(String(tokens.get(caller)), cursorOf(id))),
      ...(listAll ? [places.rows.map(({ id }) => listAll(admin, cursorOf(id)))] : []),
    ],
  };
}

/** As the api makes them (src/platform/http/pagination.ts). */
function cursorOf(id: string): string {
  return Buffer.from(JSON.stringify([id])).toString('base64url');
}

async function startRelays(testbed: Testbed, sizes: Size[]): Promise<void> {
  for (const { name, sql, env } of sizes) {
    await sql.query(
      `INSERT INTO outbox_events (id, name, consumers, payload, relayed_at, relay_attempts)
       SELECT uuidv7(interval '-1 hour'), 'bench.happened', '{parked}', json_build_object('number', n), now(), 1
       FROM generate_series(1, $1::int) n`,
      [SIZES[name as keyof typeof SIZES]],
    );
    await sql.query('VACUUM (ANALYZE) outbox_events');
    // No worker serves their queue, so none records them: without this they would soon be redelivered.
    await testbed.worker({ ...env, OUTBOX_REDELIVERY_AFTER_MS: '3600000' }, `holdfast-worker-${name}`);
  }
}

/** Microseconds that the relay takes for an event of a backlog. */
function relay(testbed: Testbed, { name, sql, env }: Size, backlog: number) {
  const event = { name: 'bench.waiting', consumer: 'parked' };
  return {
    name: `relay, ${name}`,
    prepare: async () => {
      await sql.query('DELETE FROM outbox_events WHERE name = $1', [event.name]);
      await sql.query('VACUUM outbox_events');
      await testbed.forgetQueue(`${env.QUEUE_PREFIX}:${event.consumer}`);
    },
    warmUp: async () => {
      await addEvents(sql, { ...event, count: 2 * BATCH });
      await relayed(sql, event.name, 2 * BATCH);
    },
    measure: async () => {
      await addEvents(sql, { ...event, count: backlog });
      const { first, last } = await relayed(sql, event.name, backlog);
      return ((last - first) * 1000) / (backlog - BATCH);
    },
  };
}

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type pg from 'pg';
import { alternate } from '../harness/alternate.ts';
import { pairwise } from '../harness/statistics.ts';
import { addWaiting, newKey, openRetained } from '../testbed/retained-rows.ts';
import type { Testbed } from '../testbed/testbed.ts';
import type { Settings } from '../../src/config/index.js';
import type { Database } from '../../src/platform/database/index.js';
import type { IdempotencyRepository } from '../../src/platform/idempotency/idempotency.repository.js';
import type { Inbox } from '../../src/platform/messaging/inbox/inbox.js';
import type { OutboxRepository } from '../../src/platform/messaging/outbox/outbox.repository.js';
import type { Check, Measure, Workload } from '../workload.ts';

/** Rows in each of the tables. At a thousand events a second, ten million are three hours. */
const SIZES = { small: 100_000, big: 10_000_000 };
const BAR = { atMost: 1.2 };
/** Turns of each step; together they must leave rows to sweep in the small tables. */
const TURNS = 10;
/** What a turn works on. */
const EVENTS = 2000;
const CLAIM = 500;
const BATCH = 1000;
const DAY_MS = 86_400_000;

/** The repositories of the built product: what is measured are the statements that ship. */
interface Product {
  outbox: OutboxRepository;
  inbox: Inbox;
  idempotency: IdempotencyRepository;
  lowestIdOf: (time: Date) => string;
}

interface Size {
  name: string;
  sql: pg.Client;
  product: Product;
  /** Events of this turn: added, claimed, recorded and settled. */
  claimed: string[];
  /** Where the relay begins to search: after what it has claimed. */
  cursor: number;
  sweptTo: string;
}

/** One kind of statement. @returns microseconds each */
interface Step {
  what: string;
  unit: string;
  run(size: Size): Promise<number>;
}

const ANSWER = {
  status: 201,
  headers: { location: '/v1/orders/1' },
  body: '{"id":"value"}'.repeat(25),
  replayed: false,
};

const STEPS: Step[] = [
  {
    what: 'claim of an event',
    unit: 'µs/event',
    run: async (size) => {
      await addWaiting(size.sql, EVENTS);
      size.claimed = [];
      return perUnit(EVENTS, async () => {
        while (size.claimed.length < EVENTS) {
          // Due at once, so that the next step but one has something to check.
          const events = await size.product.outbox.claim(size.cursor, CLAIM, { afterMs: 0, atMostMs: 0 });
          size.cursor = Number(events.at(-1)?.position);
          size.claimed.push(...events.map(({ id }) => id));
        }
      });
    },
  },
  {
    what: 'record of an event in the inbox',
    unit: 'µs/event',
    run: ({ claimed, product }) =>
      perUnit(EVENTS, async () => {
        for (const id of claimed) await product.inbox.record({ id, consumer: 'parked' });
      }),
  },
  {
    what: 'check that an event is handled',
    unit: 'µs/event',
    run: ({ product }) =>
      perUnit(EVENTS, async () => {
        for (let checked = 0; checked < EVENTS;) checked += (await product.outbox.settle(BATCH)).checked;
      }),
  },
  {
    what: 'measurement of the backlog',
    unit: 'µs',
    run: ({ product }) =>
      perUnit(100, async () => {
        for (let i = 0; i < 100; i += 1) await product.outbox.backlog();
      }),
  },
  {
    what: 'sweep of an event and its inbox row',
    unit: 'µs/event',
    run: (size) => {
      const time = new Date(Date.now() - DAY_MS);
      const before = { id: size.product.lowestIdOf(time), time };
      return perUnit(EVENTS, async () => {
        for (let swept = 0; swept < EVENTS; swept += BATCH) {
          const ids = await size.product.outbox.sweep(size.sweptTo, before, BATCH);
          if (ids.length < BATCH) throw new Error('Too few rows to sweep');
          size.sweptTo = ids.toSorted().at(-1) ?? size.sweptTo;
        }
        // Each run of the product begins at the start of the table.
        size.sweptTo = '00000000-0000-0000-0000-000000000000';
      });
    },
  },
  {
    what: 'lookup of a new Idempotency-Key',
    unit: 'µs/key',
    run: ({ product }) =>
      perUnit(EVENTS, async () => {
        for (let i = 0; i < EVENTS; i += 1) await product.idempotency.find(newKey());
      }),
  },
  {
    what: 'record of an answer',
    unit: 'µs/key',
    run: ({ product, sql }) =>
      perUnit(EVENTS, async () => {
        for (let i = 0; i < EVENTS; i += 1)
          await sql.query(product.idempotency.insertFinished(newKey(), ANSWER) as pg.QueryConfig);
      }),
  },
  {
    what: 'sweep of an answer',
    unit: 'µs/key',
    run: ({ product }) =>
      perUnit(EVENTS, async () => {
        for (let swept = 0; swept < EVENTS; swept += BATCH)
          if ((await product.idempotency.sweep(BATCH)).deleted < BATCH)
            throw new Error('Too few rows to sweep');
      }),
  },
];

export const retention: Workload = {
  name: 'retention',
  title: 'A hundred thousand retained rows against ten million: claim, record and sweep',
  onDemand: true,
  run: async (bench) => {
    const testbed = await bench.open({ postgresSettings: { shared_buffers: '3GB' } });
    const open = async (name: keyof typeof SIZES): Promise<Size> => {
      const sql = await openRetained(bench, testbed, name, SIZES[name]);
      return {
        name,
        sql,
        product: await productOn(sql, testbed),
        claimed: [],
        cursor: 0,
        sweptTo: '00000000-0000-0000-0000-000000000000',
      };
    };
    const small = await open('small');
    const big = await open('big');
    // All steps in a turn, because each works on what the one before it has left.
    const turn = (size: Size) => async () => {
      const took: number[] = [];
      for (const step of STEPS) took.push(await step.run(size));
      return took;
    };
    const [few = [], many = []] = await alternate(
      bench,
      [small, big].map((size) => ({ name: size.name, warmUp: turn(size), measure: turn(size) })),
      TURNS,
    );
    const measures: Measure[] = [];
    const checks: Check[] = [];
    for (const [index, { what, unit }] of STEPS.entries()) {
      const of = (turns: number[][]) => turns.map((took) => took[index] ?? Number.NaN);
      measures.push({ side: `${what}, small`, unit, rounds: of(few) });
      measures.push({ side: `${what}, big`, unit, rounds: of(many) });
      checks.push(pairwise(what, of(many), of(few), BAR));
    }
    const { rows } = await big.sql.query<{ table: string; size: string }>(
      `SELECT relname AS table, pg_size_pretty(pg_total_relation_size(oid)) AS size FROM pg_class
       WHERE relname IN ('outbox_events', 'inbox', 'idempotency_records') ORDER BY relname`,
    );
    return {
      measures,
      checks,
      notes: [
        rows.map(({ table, size }) => `${table}: ${size}`).join(', '),
        'shared_buffers is 3 GB: the primary keys of the big tables fit in.',
      ],
    };
  },
};

async function perUnit(units: number, work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return ((performance.now() - started) * 1000) / units;
}

/** On one connection, with its statements prepared once, as the product's pool has them. */
async function productOn(sql: pg.Client, { dist }: Testbed): Promise<Product> {
  const built = (path: string): Promise<unknown> => import(pathToFileURL(join(dist, 'platform', path)).href);
  const { OutboxRepository } = (await built(
    'messaging/outbox/outbox.repository.js',
  )) as typeof import('../../src/platform/messaging/outbox/outbox.repository.js');
  const { lowestIdOf } = (await built(
    'messaging/outbox/outbox-sweep.js',
  )) as typeof import('../../src/platform/messaging/outbox/outbox-sweep.js');
  const { Inbox } = (await built(
    'messaging/inbox/inbox.js',
  )) as typeof import('../../src/platform/messaging/inbox/inbox.js');
  const { IdempotencyRepository } = (await built(
    'idempotency/idempotency.repository.js',
  )) as typeof import('../../src/platform/idempotency/idempotency.repository.js');
  const database = {
    query: async (statement: pg.QueryConfig) => (await sql.query(statement)).rows as unknown[],
    queryOne: async (statement: pg.QueryConfig) => (await sql.query(statement)).rows[0] as unknown,
    execute: async (statement: pg.QueryConfig) => (await sql.query(statement)).rowCount,
  } as unknown as Database;
  const settings = { idempotency: { retentionHours: 24 } } as Settings;
  return {
    outbox: new OutboxRepository(database),
    inbox: new Inbox(database, undefined as never),
    idempotency: new IdempotencyRepository(database, settings),
    lowestIdOf,
  };
}

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Settings } from '../../src/config/index.js';
import { newId, RequestContext } from '../../src/platform/context/index.js';
import { Database, UnitOfWork } from '../../src/platform/database/index.js';
import { defineEvent, Outbox } from '../../src/platform/messaging/index.js';
import { OutboxLimit } from '../../src/platform/messaging/outbox/outbox-limit.js';
import { lowestIdOf } from '../../src/platform/messaging/outbox/outbox-sweep.js';
import { OutboxRepository } from '../../src/platform/messaging/outbox/outbox.repository.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';
import { waitFor } from '../../local/wait-for.js';

const parcelSent = defineEvent<{ number: number }>('parcel.sent', { consumers: ['post', 'insurance'] });
/** Nothing is due by itself while a test runs. */
const POLICY = { afterMs: 600_000, atMostMs: 3_600_000 };

describe('the outbox', () => {
  let room: TestDatabase;
  let database: Database;
  let unitOfWork: UnitOfWork;
  let outbox: Outbox;
  let repository: OutboxRepository;

  beforeAll(async () => {
    room = await openTestDatabase({
      DATABASE_QUERY_TIMEOUT_MS: '60000',
      DATABASE_STATEMENT_TIMEOUT_MS: '60000',
      DATABASE_IDLE_IN_TRANSACTION_TIMEOUT_MS: '60000',
    });
    ({ database, unitOfWork } = room);
    outbox = new Outbox(database, unitOfWork, { requireDeclared: () => undefined } as never);
    repository = new OutboxRepository(database);
  });

  afterAll(() => room.close());
  afterEach(() => database.execute({ text: 'TRUNCATE outbox_events, inbox, dead_letters' }));

  const announce = (number: number): Promise<string> =>
    unitOfWork.run(() => outbox.announce(parcelSent, { number }, { key: `parcel-${number}` }));

  const announceAll = async (count: number): Promise<string[]> => {
    const ids: string[] = [];
    for (let number = 1; number <= count; number += 1) ids.push(await announce(number));
    return ids;
  };

  const claim = (limit = 100, after = 0): Promise<string[]> =>
    repository.claim(after, limit, POLICY).then((events) => events.map(({ id }) => id));

  const makeDue = (): Promise<number> =>
    database.execute({
      text: "UPDATE outbox_events SET redeliver_at = now() - interval '1 second' WHERE redeliver_at IS NOT NULL",
    });

  const handle = (id: string, ...consumers: string[]): Promise<number> =>
    database.execute({
      text: 'INSERT INTO inbox (event_id, consumer) SELECT $1, unnest($2::text[])',
      values: [id, consumers],
    });

  describe('announcing', () => {
    it('commits with the change it belongs to, and rolls back with it', async () => {
      await expect(
        unitOfWork.run(async () => {
          await outbox.announce(parcelSent, { number: 1 });
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
      expect(await claim()).toEqual([]);

      const id = await announce(2);
      expect(await claim()).toEqual([id]);
    });

    it('announces many at once, in order, and rolls them back together', async () => {
      const parcels = Array.from({ length: 2500 }, (_, number) => ({
        payload: { number },
        ...(number % 2 === 0 && { key: `parcel-${number}` }),
      }));
      const failing = unitOfWork.run(async () => {
        await outbox.announceMany(parcelSent, parcels);
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
      expect(await claim()).toEqual([]);

      const ids = await unitOfWork.run(() => outbox.announceMany(parcelSent, parcels));
      const claimed = await repository.claim(0, 3000, POLICY);
      expect(claimed.map(({ id }) => id)).toEqual(ids);
      expect(claimed.map(({ payload, key }) => ({ payload, key })).slice(1998, 2000)).toEqual([
        { payload: '{"number":1998}', key: 'parcel-1998' },
        { payload: '{"number":1999}', key: null },
      ]);
      expect(claimed[0]?.consumers).toEqual(['post', 'insurance']);
    });

    it('announces nothing for an empty list', async () => {
      expect(await unitOfWork.run(() => outbox.announceMany(parcelSent, []))).toEqual([]);
      expect(await claim()).toEqual([]);
    });

    it('is for the callers to refuse while more than a number wait', async () => {
      const limit = new OutboxLimit(repository, { overload: { outboxMaxBacklog: 1 } } as Settings);
      await announce(1);
      await limit.look();
      expect(() => limit.requireRoom()).not.toThrow();
      await announce(2);
      await limit.look();
      expect(() => limit.requireRoom()).toThrow(expect.objectContaining({ code: 'backlog-full' }));
    });

    it('is rejected outside a unit of work', async () => {
      await expect(outbox.announce(parcelSent, { number: 1 })).rejects.toThrow('outside a unit of work');
      await expect(outbox.announceMany(parcelSent, [])).rejects.toThrow('outside a unit of work');
    });

    it('keeps everything that a consumer needs', async () => {
      await new RequestContext('request-1', Infinity).run(() => announce(1));
      const [event] = await repository.claim(0, 1, POLICY);
      expect(event).toMatchObject({
        name: 'parcel.sent',
        consumers: ['post', 'insurance'],
        payload: '{"number":1}',
        key: 'parcel-1',
        requestId: 'request-1',
      });
      expect(Math.abs(event!.occurredAt - Date.now())).toBeLessThan(10_000);
    });
  });

  describe('claiming', () => {
    it('claims events in the order of announcement', async () => {
      const ids = await announceAll(5);
      expect(await claim(2)).toEqual(ids.slice(0, 2));
      expect(await claim(2)).toEqual(ids.slice(2, 4));
      expect(await claim(2)).toEqual(ids.slice(4));
      expect(await claim(2)).toEqual([]);
    });

    it('gives no event to two concurrent relays', async () => {
      const ids = await announceAll(60);
      const other = new OutboxRepository((await room.anotherRoom()).database);
      const claims = await Promise.all(
        Array.from({ length: 12 }, (_, i) => (i % 2 ? repository : other).claim(0, 5, POLICY)),
      );
      const claimed = claims.flat().map(({ id }) => id);
      expect(new Set(claimed).size).toBe(claimed.length);
      expect([...claimed, ...(await claim())].toSorted()).toEqual(ids.toSorted());
    });

    it('skips what another relay is claiming', async () => {
      const ids = await announceAll(4);
      const other = new OutboxRepository((await room.anotherRoom()).database);
      const [first, second] = await unitOfWork.run(async () => [
        await claim(2),
        await other.claim(0, 10, POLICY),
      ]);
      expect(first).toEqual(ids.slice(0, 2));
      expect(second.map(({ id }) => id)).toEqual(ids.slice(2));
    });

    it('can be undone', async () => {
      const ids = await announceAll(3);
      await repository.handBack(await repository.claim(0, 2, POLICY));
      expect(await claim()).toEqual(ids);
      const rows = await database.query<{ relay_attempts: number }>({
        text: 'SELECT relay_attempts FROM outbox_events',
      });
      expect(rows.map(({ relay_attempts }) => relay_attempts)).toEqual([1, 1, 1]);
    });

    it('cannot be undone by a relay whose claim has passed to another', async () => {
      await announceAll(1);
      const frozen = await repository.claim(0, 1, { afterMs: 0, atMostMs: 0 });
      await waitFor(async () => (await repository.settle(10)).redelivered === 1, { what: 'redelivery' });
      const [id] = await claim();
      await repository.handBack(frozen);

      expect([frozen[0]?.id, await claim()]).toEqual([id, []]);
    });

    it('is due again later with each attempt, up to a limit', async () => {
      const [id] = await announceAll(1);
      const waits: number[] = [];
      for (let attempt = 0; attempt < 4; attempt += 1) {
        await repository.claim(0, 1, { afterMs: 1000, atMostMs: 5000 });
        const [row] = await database.query<{ wait: number }>({
          text: 'SELECT extract(epoch FROM redeliver_at - relayed_at)::float8 AS wait FROM outbox_events WHERE id = $1',
          values: [id],
        });
        waits.push(Math.round(row!.wait));
        await makeDue();
        await repository.settle(10);
      }
      expect(waits).toEqual([1, 2, 4, 5]);
    });
  });

  describe('redelivery', () => {
    it('settles what every consumer has recorded or given up, and skips what is not due', async () => {
      const [handled, buried, early] = await announceAll(3);
      await claim();
      await handle(handled!, 'post', 'insurance');
      await handle(buried!, 'insurance');
      await bury(buried!, 'post');
      await database.execute({
        text: "UPDATE outbox_events SET redeliver_at = now() - interval '1 second' WHERE id <> $1",
        values: [early],
      });

      expect(await repository.settle(10)).toMatchObject({ checked: 2, redelivered: 0 });
      expect(await repository.settle(10)).toMatchObject({ checked: 0, redelivered: 0 });
      expect(await claim()).toEqual([]);
    });

    it('relays again what was claimed and never reached a consumer, as after a crash between claim and queue', async () => {
      const ids = await announceAll(2);
      await claim();
      await makeDue();
      expect(await repository.settle(10)).toMatchObject({ checked: 2, redelivered: 2 });
      expect(await claim()).toEqual(ids);
    });

    it('relays again only for the consumers that are missing', async () => {
      const [id] = await announceAll(1);
      await claim();
      await handle(id!, 'post');
      await makeDue();
      await repository.settle(10);
      expect(await repository.claim(0, 10, POLICY)).toMatchObject([{ id, consumers: ['insurance'] }]);
    });

    it('does not wait for a replayed dead letter', async () => {
      const [id] = await announceAll(1);
      await claim();
      await handle(id!, 'insurance');
      await bury(id!, 'post');
      await database.execute({ text: 'UPDATE dead_letters SET replayed_at = now()' });
      await makeDue();
      expect(await repository.settle(10)).toMatchObject({ checked: 1, redelivered: 1 });
    });

    /** The column rounds to milliseconds and a Date cuts them off: what is less apart has no order. */
    const nextMilliseconds = () => database.query({ text: 'SELECT pg_sleep(0.003)' });

    it('covers everything relayed before the queues were lost, and nothing relayed after', async () => {
      const ids = await announceAll(3);
      await claim(2);
      await nextMilliseconds();
      const lostAt = await repository.now();
      await nextMilliseconds();
      await claim(1);
      await handle(ids[0]!, 'post', 'insurance');

      expect(await repository.settle(10, lostAt)).toMatchObject({ checked: 2, redelivered: 1 });
      expect(await repository.settle(10, lostAt)).toMatchObject({ checked: 0, redelivered: 0 });
      expect(await claim()).toEqual([ids[1]]);
    });

    const bury = (id: string, consumer: string): Promise<number> =>
      database.execute({
        text: `
          INSERT INTO dead_letters (id, event_id, consumer, name, payload, occurred_at, reason, attempts)
          VALUES ($1, $2, $3, 'parcel.sent', '{}', now(), 'bad', 1)`,
        values: [newId(), id, consumer],
      });
  });

  describe('sweeping', () => {
    const sweep = (time: Date, limit = 100): Promise<string[]> =>
      repository.sweep('00000000-0000-0000-0000-000000000000', { id: lowestIdOf(time), time }, limit);
    const later = (): Date => new Date(Date.now() + 60_000);

    beforeEach(async () => {
      const ids = await announceAll(3);
      await claim(2);
      for (const id of ids) await handle(id, 'post', 'insurance');
    });

    it('deletes settled events with their inbox rows, and nothing that is still undelivered', async () => {
      expect(await sweep(later())).toEqual([]);
      await makeDue();
      await repository.settle(10);
      expect(await sweep(later(), 1)).toHaveLength(1);
      expect(await sweep(later())).toHaveLength(1);
      expect(await sweep(later())).toEqual([]);
      const [left] = await database.query<{ events: number; inbox: number }>({
        text: 'SELECT (SELECT count(*) FROM outbox_events)::int AS events, (SELECT count(*) FROM inbox)::int AS inbox',
      });
      expect(left).toEqual({ events: 1, inbox: 2 });
    });

    it('keeps what is too young, by its announcement or its last relay', async () => {
      await makeDue();
      await repository.settle(10);
      expect(await sweep(new Date(Date.now() - 60_000))).toEqual([]);
      const now = new Date();
      expect(
        await repository.sweep(
          lowestIdOf(new Date(0)),
          { id: lowestIdOf(later()), time: new Date(now.getTime() - 60_000) },
          9,
        ),
      ).toEqual([]);
    });
  });

  describe('with a backlog of 100,000 events', () => {
    beforeEach(() => waiting(100_000));

    const waiting = (count: number): Promise<number> =>
      database.execute({
        text: `
          INSERT INTO outbox_events (id, name, consumers, payload)
          SELECT uuidv7(), 'parcel.sent', '{post}', '{}' FROM generate_series(1, $1)`,
        values: [count],
      });

    interface Plan {
      'Node Type': string;
      'Index Name'?: string;
      'Actual Rows': number;
      'Shared Hit Blocks': number;
      'Shared Read Blocks': number;
      Plans?: Plan[];
    }

    const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

    /** Runs one of the repository's statements and returns how PostgreSQL did it; the effect is rolled back. */
    const planOf = async (work: (explaining: OutboxRepository) => Promise<unknown>): Promise<Plan[]> => {
      let nodes: Plan[] = [];
      const explaining = new OutboxRepository({
        query: async ({ text, values }: { text: string; values: unknown[] }) => {
          const [row] = await database.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>({
            text: `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`,
            values,
          });
          nodes = nodesOf(row!['QUERY PLAN'][0].Plan);
          return [];
        },
      } as unknown as Database);
      const rollback = new Error('rollback');
      await unitOfWork
        .run(async () => {
          await work(explaining);
          throw rollback;
        })
        .catch((error: unknown) => {
          if (error !== rollback) throw error;
        });
      return nodes;
    };

    const planOfClaim = (after: number): Promise<Plan[]> =>
      planOf((explaining) => explaining.claim(after, 500, POLICY));
    const types = (nodes: Plan[]): string[] => nodes.map((node) => node['Node Type']);
    const scanOf = (nodes: Plan[]): Plan =>
      nodes.find((node) => node['Index Name'] === 'outbox_events_pending')!;

    const relayAll = (): Promise<number> =>
      database.execute({ text: 'UPDATE outbox_events SET relayed_at = now() WHERE relayed_at IS NULL' });
    const analyze = (): Promise<number> => database.execute({ text: 'ANALYZE outbox_events' });

    it.each([
      ['the table was never analyzed', () => Promise.resolve()],
      ['the statistics are fresh', analyze],
      [
        'the statistics are of a time when nothing waited',
        async () => {
          await relayAll();
          await analyze();
          await waiting(50_000);
        },
      ],
      [
        'the statistics are of a time when a few waited',
        async () => {
          await relayAll();
          await waiting(400);
          await analyze();
          await waiting(50_000);
        },
      ],
    ])('claims by the index of waiting events and by row, when %s', async (_when, prepare) => {
      await prepare();
      const nodes = await planOfClaim(0);
      expect(types(nodes)).not.toContain('Seq Scan');
      expect(types(nodes)).not.toContain('Sort');
      expect(scanOf(nodes)).toMatchObject({ 'Node Type': 'Index Scan', 'Actual Rows': 500 });
      expect(nodes.find((node) => node['Node Type'] === 'Tid Scan')?.['Actual Rows']).toBe(500);
    });

    it('looks at due events and at old ones by their indexes', async () => {
      await database.execute({
        text: "UPDATE outbox_events SET relayed_at = now(), redeliver_at = now() - interval '1 second'",
      });
      const settling = await planOf((explaining) => explaining.settle(500));
      expect(types(settling)).not.toContain('Sort');
      expect(settling.find((node) => node['Index Name'] === 'outbox_events_unsettled')?.['Actual Rows']).toBe(
        500,
      );

      await database.execute({ text: 'UPDATE outbox_events SET redeliver_at = NULL' });
      const time = new Date(Date.now() + 60_000);
      const sweeping = await planOf((explaining) =>
        explaining.sweep('00000000-0000-0000-0000-000000000000', { id: lowestIdOf(time), time }, 500),
      );
      expect(types(sweeping)).not.toContain('Sort');
      expect(sweeping.find((node) => node['Index Name'] === 'outbox_events_pkey')?.['Actual Rows']).toBe(500);
    });

    it('is not slowed by claimed events that cannot be vacuumed during a long transaction', async () => {
      const elsewhere = await room.anotherRoom();
      await elsewhere.unitOfWork.run(
        async () => {
          await elsewhere.database.query({ text: 'SELECT 1 FROM outbox_events LIMIT 1' });
          let last = 0;
          for (let batch = 0; batch < 60; batch += 1) {
            const events = await repository.claim(last, 1000, POLICY);
            last = events.at(-1)!.position;
          }
          const touched = (nodes: Plan[]): number =>
            scanOf(nodes)['Shared Hit Blocks'] + scanOf(nodes)['Shared Read Blocks'];
          // From the start it would step over all that was claimed, and go and see each time that it is gone.
          expect(touched(await planOfClaim(0))).toBeGreaterThan(1000);
          expect(touched(await planOfClaim(last))).toBeLessThan(100);
        },
        { isolation: 'REPEATABLE READ' },
      );
    });

    it('estimates the backlog beyond what it counts', async () => {
      const { pending, lagSeconds } = await repository.backlog();
      expect(pending).toBe(100_000);
      expect(lagSeconds).toBeGreaterThan(0);
      await database.execute({ text: 'TRUNCATE outbox_events' });
      expect(await repository.backlog()).toEqual({ pending: 0, lagSeconds: 0 });
    });
  });
});

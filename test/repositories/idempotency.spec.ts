import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  BusinessRuleError,
  ClientError,
  NotAttemptedError,
  TransientError,
} from '../../src/platform/errors/index.js';
import {
  Idempotency,
  type Answer,
  type IdempotentRequest,
  type RecordedAnswer,
  type ResumableWork,
} from '../../src/platform/idempotency/index.js';
import { IdempotencyRepository } from '../../src/platform/idempotency/idempotency.repository.js';
import { IdempotencySweeper } from '../../src/platform/idempotency/idempotency.sweeper.js';
import { openTestDatabase, type DatabaseRoom, type TestDatabase } from '../support/test-database.js';

let db: TestDatabase;
let idempotency: Idempotency;

beforeAll(async () => {
  Logger.overrideLogger(false);
  db = await openTestDatabase();
  idempotency = serviceIn(db);
  await db.database.execute({ text: 'CREATE TABLE effects (id serial PRIMARY KEY, name text NOT NULL)' });
}, 60_000);

afterAll(() => db.close());

beforeEach(async () => {
  await db.database.execute({ text: 'TRUNCATE effects, idempotency_records' });
});

function serviceIn({ database, unitOfWork, settings }: DatabaseRoom): Idempotency {
  return new Idempotency(unitOfWork, new IdempotencyRepository(database, settings));
}

function request(changes: Partial<IdempotentRequest> & { body?: unknown } = {}): IdempotentRequest {
  const { body = { quantity: 1 }, ...rest } = changes;
  return {
    key: 'key-1',
    scope: 'ada POST /v1/things',
    payload: { method: 'POST', params: {}, body },
    requestId: 'request-1',
    path: '/v1/things',
    ...rest,
  };
}

const addEffect = (name: string, { database } = db as DatabaseRoom) =>
  database.execute({ text: 'INSERT INTO effects (name) VALUES ($1)', values: [name] });

async function effects(): Promise<string[]> {
  const rows = await db.database.query<{ name: string }>({ text: 'SELECT name FROM effects ORDER BY id' });
  return rows.map(({ name }) => name);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );
}

const created =
  (name = 'created', room?: DatabaseRoom) =>
  async (): Promise<Answer> => {
    await addEffect(name, room);
    return {
      status: 201,
      headers: { Location: '/v1/things/1' },
      body: { z: 'ß\u0000"', a: 1.5, time: new Date(0) },
    };
  };

const outOfStock = () =>
  new BusinessRuleError({ status: 409, code: 'insufficient-stock', detail: 'None left.' });

describe('A request with an Idempotency-Key', () => {
  it('has its effect once, and a retry gets the same answer, byte for byte', async () => {
    const first = await idempotency.once(request(), created());
    const second = await idempotency.once(request({ requestId: 'request-2' }), created());

    expect(first).toEqual({
      status: 201,
      headers: { Location: '/v1/things/1' },
      body: String.raw`{"z":"ß\u0000\"","a":1.5,"time":"1970-01-01T00:00:00.000Z"}`,
      replayed: false,
    });
    expect(second).toEqual({ ...first, replayed: true });
    expect(await effects()).toEqual(['created']);
  });

  it('differs by caller, route and key', async () => {
    await idempotency.once(request(), created('first'));
    await idempotency.once(request({ scope: 'bob POST /v1/things' }), created('other caller'));
    await idempotency.once(request({ scope: 'ada POST /v1/others' }), created('other route'));
    await idempotency.once(request({ key: 'key-2' }), created('other key'));

    expect(await effects()).toEqual(['first', 'other caller', 'other route', 'other key']);
  });

  it('is rejected with another payload', async () => {
    await idempotency.once(request(), created());

    expect(await codeOf(idempotency.once(request({ body: { quantity: 2 } }), created()))).toBe(
      'idempotency-key-reused',
    );
    expect(await effects()).toEqual(['created']);
  });

  it('leaves neither effect nor record when it fails, and can be retried', async () => {
    const failures = [
      new TransientError({ code: 'busy', detail: 'busy' }),
      new ClientError({ status: 422, code: 'unknown-account', detail: 'unknown' }),
      new Error('a bug'),
    ];
    for (const failure of failures) {
      const failing = idempotency.once(request(), async () => {
        await addEffect('half');
        throw failure;
      });
      await expect(failing).rejects.toBe(failure);
    }
    expect(await effects()).toEqual([]);

    expect(await idempotency.once(request(), created())).toMatchObject({ status: 201, replayed: false });
  });

  it('is rejected permanently by a business rule: nothing is done, and the rejection is replayed', async () => {
    const refused = idempotency.once(request(), async () => {
      await addEffect('half');
      throw outOfStock();
    });
    expect(await codeOf(refused)).toBe('insufficient-stock');
    const replay = await idempotency.once(request({ requestId: 'request-2' }), created());

    expect(replay).toMatchObject({ status: 409, replayed: true });
    expect(JSON.parse(replay.body)).toMatchObject({
      code: 'insufficient-stock',
      requestId: 'request-1',
      instance: '/v1/things',
    });
    expect(await effects()).toEqual([]);
  });

  it('is rejected while the same one is in progress, in this process and in another', async () => {
    const other = serviceIn(await db.anotherRoom());
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const first = idempotency.once(request(), async () => {
      begin();
      await held;
      return created()();
    });
    await begun;

    expect(await codeOf(idempotency.once(request(), created()))).toBe('idempotency-key-in-use');
    expect(await codeOf(other.once(request(), created()))).toBe('idempotency-key-in-use');
    expect(await codeOf(idempotency.once(request({ body: {} }), created()))).toBe('idempotency-key-reused');
    release();
    expect(await first).toMatchObject({ status: 201 });
    expect(await other.once(request(), created())).toMatchObject({ status: 201, replayed: true });
    expect(await effects()).toEqual(['created']);
  });

  it('has one effect for a thousand concurrent duplicates in two processes, none of which is rejected', async () => {
    const room = await db.anotherRoom();
    const services = [idempotency, serviceIn(room)];
    const rooms = [db, room];
    const outcomes = await Promise.allSettled(
      Array.from({ length: 1000 }, async (_, index) => {
        // Not all in one tick: some shall find the record, some the lock, some the process busy.
        await new Promise((resolve) => setTimeout(resolve, index / 20));
        return (services[index % 2] as Idempotency).once(request(), created('created', rooms[index % 2]));
      }),
    );

    const answers = outcomes.filter((outcome) => outcome.status === 'fulfilled').map(({ value }) => value);
    const codes = new Set(
      outcomes
        .filter((outcome) => outcome.status === 'rejected')
        .map(({ reason }) => (reason as BusinessRuleError).code),
    );
    expect(await effects()).toEqual(['created']);
    expect([...codes].filter((code) => code !== 'idempotency-key-in-use')).toEqual([]);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
  });

  it('is a new one after its record has expired, deleted or not', async () => {
    await idempotency.once(request(), created('before'));
    await expire();

    expect(await idempotency.once(request({ body: { quantity: 2 } }), created('after'))).toMatchObject({
      replayed: false,
    });
    expect(await idempotency.once(request({ body: { quantity: 2 } }), created())).toMatchObject({
      replayed: true,
    });
    expect(await effects()).toEqual(['before', 'after']);
  });
});

describe('The sweep', () => {
  it('deletes any number of expired records, and nothing else', async () => {
    await db.database.execute({
      text: `INSERT INTO idempotency_records (scope, key, fingerprint, status, headers, body, expires_at)
             SELECT 'ada', n::text, 'f', 201, '{}', '{}', now() - make_interval(secs => 1 + n % 7) FROM generate_series(1, 2500) n`,
    });
    await idempotency.once(request(), created());
    await new IdempotencySweeper(new IdempotencyRepository(db.database, db.settings)).sweep();

    const left = await db.database.query<{ key: string }>({ text: 'SELECT key FROM idempotency_records' });
    expect(left).toEqual([{ key: 'key-1' }]);
  });
});

/** Work over the network, whose steps a test can follow and break. */
class Charge implements ResumableWork<{ id: string; resumed: boolean }, string> {
  leaseMs = 60_000;
  performed: string[] = [];
  constructor(
    readonly perform: (started: { id: string; resumed: boolean }) => Promise<string>,
    readonly answer: Answer | BusinessRuleError = { status: 201, body: 'paid' },
  ) {}

  async begin(earlier: string | undefined) {
    if (!earlier) await addEffect('begun');
    return { id: earlier ?? 'charge-1', resumed: earlier !== undefined };
  }

  async finish({ id }: { id: string }, outcome: string) {
    await addEffect(`${id} ${outcome}`);
    return this.answer;
  }

  /** Whether it can be undone: nobody else has settled it. */
  pending = true;

  async abandon({ id }: { id: string }) {
    if (this.pending) await addEffect(`${id} abandoned`);
    return this.pending;
  }
}

const charge = (work: Charge): Promise<RecordedAnswer> => idempotency.resumable(request(), work);

describe('Work that leaves the database', () => {
  it('is begun, performed and finished once, and then replayed', async () => {
    const performed: string[] = [];
    const work = new Charge(async ({ id }) => {
      performed.push(id);
      return 'charged';
    });
    expect(await charge(work)).toMatchObject({ status: 201, body: '"paid"', replayed: false });
    expect(await charge(work)).toMatchObject({ status: 201, body: '"paid"', replayed: true });

    expect(performed).toEqual(['charge-1']);
    expect(await effects()).toEqual(['begun', 'charge-1 charged']);
  });

  it('holds no connection while it is performed', async () => {
    let inTransaction: unknown;
    const work = new Charge(async () => {
      inTransaction = db.unitOfWork.isActive;
      return 'charged';
    });
    await charge(work);

    expect(inTransaction).toBe(false);
  });

  it('is committed before it is performed: a retry elsewhere is rejected until the lease expires', async () => {
    const other = serviceIn(await db.anotherRoom());
    const crashed = new Charge(() => Promise.reject(new Error('killed')));
    await expect(charge(crashed)).rejects.toThrow('killed');
    const second = new Charge(async ({ id, resumed }) => `charged ${id} ${resumed}`);

    expect(await codeOf(other.resumable(request(), second))).toBe('idempotency-key-in-use');
    await overdue();
    expect(await other.resumable(request(), second)).toMatchObject({ status: 201, replayed: false });
    expect(await effects()).toEqual(['begun', 'charge-1 charged charge-1 true']);
  });

  it('frees the key when it is certain that nothing has happened', async () => {
    const refused = new Charge(() =>
      Promise.reject(new NotAttemptedError({ code: 'circuit-open', detail: 'open' })),
    );
    expect(await codeOf(charge(refused))).toBe('circuit-open');
    expect(await charge(new Charge(async () => 'charged'))).toMatchObject({ status: 201, replayed: false });

    expect(await effects()).toEqual(['begun', 'charge-1 abandoned', 'begun', 'charge-1 charged']);
  });

  it('keeps the key when it was settled before it could be abandoned', async () => {
    const frozen = new Charge(() =>
      Promise.reject(new NotAttemptedError({ code: 'too-late', detail: 'too late' })),
    );
    frozen.pending = false;
    expect(await codeOf(charge(frozen))).toBe('too-late');
    expect(await codeOf(charge(new Charge(async () => 'charged')))).toBe('idempotency-key-in-use');
    await overdue();
    const retry = new Charge(async ({ resumed }) => `as settled ${resumed}`);
    expect(await charge(retry)).toMatchObject({ status: 201, replayed: false });

    expect(await effects()).toEqual(['begun', 'charge-1 as settled true']);
  });

  it('keeps the key when it is not certain', async () => {
    const lost = new Charge(() => Promise.reject(new TransientError({ code: 'timeout', detail: 'timeout' })));
    expect(await codeOf(charge(lost))).toBe('timeout');

    expect(await codeOf(charge(new Charge(async () => 'charged')))).toBe('idempotency-key-in-use');
    expect(await effects()).toEqual(['begun']);
  });

  it('commits what a rejection has settled, and replays the rejection', async () => {
    const declined = new Charge(
      async () => 'declined',
      new BusinessRuleError({
        status: 402,
        code: 'charge-declined',
        detail: 'Declined.',
        headers: { Location: '/1' },
      }),
    );
    expect(await codeOf(charge(declined))).toBe('charge-declined');
    const replay = await charge(declined);

    expect(replay).toMatchObject({
      status: 402,
      headers: { Location: '/1', 'Content-Type': 'application/problem+json; charset=utf-8' },
      replayed: true,
    });
    expect(JSON.parse(replay.body)).toMatchObject({ code: 'charge-declined', status: 402 });
    expect(await effects()).toEqual(['begun', 'charge-1 declined']);
  });

  it('is rejected permanently when it must not begin', async () => {
    const work = new Charge(async () => 'charged');
    work.begin = () => Promise.reject(outOfStock());
    expect(await codeOf(charge(work))).toBe('insufficient-stock');

    expect(await charge(new Charge(async () => 'charged'))).toMatchObject({ status: 409, replayed: true });
    expect(await effects()).toEqual([]);
  });

  it('gets the answer of the attempt that took over and was faster', async () => {
    const other = serviceIn(await db.anotherRoom());
    const slow = new Charge(async () => {
      await overdue();
      await other.resumable(
        request(),
        new Charge(async () => 'charged', { status: 201, body: 'by the other' }),
      );
      return 'charged';
    });

    expect(await charge(slow)).toMatchObject({ status: 201, body: '"by the other"', replayed: true });
    expect(await effects()).toEqual(['begun', 'charge-1 charged']);
  });

  it.each([
    ['nothing has happened', () => Promise.reject(new NotAttemptedError({ code: 'open', detail: 'open' }))],
    [
      'the caller was wrong',
      () => Promise.reject(new ClientError({ status: 422, code: 'no', detail: 'no' })),
    ],
    ['it is done', () => Promise.resolve('by the first')],
  ])(
    'is neither abandoned nor finished by an attempt that was taken over, though it learns that %s',
    async (_, outcome) => {
      const other = serviceIn(await db.anotherRoom());
      const { promise: performing, resolve: perform } = Promise.withResolvers<void>();
      const { promise: held, resolve: release } = Promise.withResolvers<void>();
      let successor: Promise<RecordedAnswer> | undefined;
      const first = new Charge(async () => {
        await overdue();
        const second = new Charge(async () => {
          perform();
          await held;
          return 'by the second';
        });
        successor = other.resumable(request(), second);
        await performing;
        return outcome();
      });

      expect(await codeOf(charge(first))).toBe('idempotency-key-in-use');
      release();
      const answer = await successor;
      expect(answer).toMatchObject({ status: 201, replayed: false });
      expect(await charge(first)).toEqual({ ...answer, replayed: true });
      expect(await effects()).toEqual(['begun', 'charge-1 by the second']);
    },
  );

  it('is taken over by one of several concurrent retries', async () => {
    const rooms = [db, await db.anotherRoom(), await db.anotherRoom()];
    await expect(charge(new Charge(() => Promise.reject(new Error('killed'))))).rejects.toThrow('killed');
    await overdue();
    const performed: string[] = [];
    const { promise: othersHaveCome, resolve: goOn } = Promise.withResolvers<void>();
    let turnedAway = 0;
    const codes = await Promise.all(
      rooms.map(async (room) => {
        const work = new Charge(async ({ id }) => {
          performed.push(id);
          await othersHaveCome;
          return 'charged';
        });
        const code = await codeOf(serviceIn(room).resumable(request(), work));
        if (code !== 'no error' && (turnedAway += 1) === rooms.length - 1) goOn();
        return code;
      }),
    );

    expect(performed).toEqual(['charge-1']);
    expect(codes.toSorted()).toEqual(['idempotency-key-in-use', 'idempotency-key-in-use', 'no error']);
    expect(await effects()).toEqual(['begun', 'charge-1 charged']);
  });
});

/** Ends the lease of whatever is under way. */
async function overdue(): Promise<void> {
  await db.database.execute({
    text: "UPDATE idempotency_records SET locked_until = now() - interval '1 second'",
  });
}

async function expire(): Promise<void> {
  await db.database.execute({
    text: `UPDATE idempotency_records SET expires_at = now() - interval '1 second'`,
  });
}

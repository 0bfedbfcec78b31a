import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RequestContext } from '../../src/platform/context/index.js';
import { UniqueViolationError } from '../../src/platform/database/index.js';
import { TransientError } from '../../src/platform/errors/index.js';
import { nothingLent, openTestDatabase, type TestDatabase } from '../support/test-database.js';
import { waitFor } from '../../local/wait-for.js';

const POOL_SIZE = 4;
let db: TestDatabase;

beforeAll(async () => {
  db = await openTestDatabase({ DATABASE_POOL_SIZE: String(POOL_SIZE) });
  await db.database.execute({ text: 'CREATE TABLE notes (id int PRIMARY KEY, body text NOT NULL)' });
});
afterAll(() => db?.close());
beforeEach(() => db.database.execute({ text: 'TRUNCATE notes' }));

const insert = (id: number) =>
  db.database.execute({ text: 'INSERT INTO notes VALUES ($1, $2)', values: [id, 'x'] });
const ids = async () =>
  (await db.database.query<{ id: number }>({ text: 'SELECT id FROM notes ORDER BY id' })).map(({ id }) => id);
const expectNoLeak = () => nothingLent(db);

describe('a unit of work', () => {
  it('commits the work of repositories, without being passed to them', async () => {
    await db.unitOfWork.run(async () => {
      await insert(1);
      await insert(2);
    });
    expect(await ids()).toEqual([1, 2]);
    await expectNoLeak();
  });

  it('rolls all of it back when anything throws', async () => {
    const failing = db.unitOfWork.run(async () => {
      await insert(1);
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await ids()).toEqual([]);
    await expectNoLeak();
  });

  it('is joined by nested units', async () => {
    const failing = db.unitOfWork.run(async () => {
      await db.unitOfWork.run(() => insert(1));
      throw new Error('outer');
    });
    await expect(failing).rejects.toThrow('outer');
    expect(await ids()).toEqual([]);
  });

  it('is joined only by units whose options it meets', async () => {
    const asked = [
      [{ isolation: 'SERIALIZABLE' }, "isolation: 'SERIALIZABLE'"],
      [{ isolation: 'REPEATABLE READ', readOnly: true }, "isolation: 'REPEATABLE READ', readOnly: true"],
      [{ repeatable: false }, 'repeatable: false'],
    ] as const;
    for (const [options, remedy] of asked) {
      const inner = () => db.unitOfWork.run(ids, options);
      await expect(db.unitOfWork.run(inner)).rejects.toThrow(`open that one with ${remedy}`);
      await expect(db.unitOfWork.run(() => db.unitOfWork.savepoint(inner))).rejects.toThrow(remedy);
      await db.unitOfWork.run(inner, options);
    }
    // What has more than that is asked for has that, too.
    await db.unitOfWork.run(() => db.unitOfWork.run(ids, { isolation: 'REPEATABLE READ' }), {
      isolation: 'SERIALIZABLE',
      readOnly: true,
      repeatable: false,
    });
    await expectNoLeak();
  });

  it('is joined by the statements of TypeORM', async () => {
    const failing = db.unitOfWork.run(async () => {
      await db.dataSource.query('INSERT INTO notes VALUES (1, $1)', ['x']);
      throw new Error('after the manager');
    });
    await expect(failing).rejects.toThrow('after the manager');
    expect(await ids()).toEqual([]);
    await db.unitOfWork.run(() => db.dataSource.query('INSERT INTO notes VALUES (1, $1)', ['x']));
    expect(await ids()).toEqual([1]);
    await expectNoLeak();
  });

  it('is separate from a concurrent one', async () => {
    const first = Promise.withResolvers<void>();
    const one = db.unitOfWork.run(async () => {
      await insert(1);
      await first.promise;
    });
    await db.unitOfWork.run(async () => {
      await insert(2);
      expect(await ids()).toEqual([2]);
    });
    first.resolve();
    await one;
    expect(await ids()).toEqual([1, 2]);
  });

  it('runs after-commit steps, and none after a rollback', async () => {
    const seen: string[] = [];
    await db.unitOfWork.run(async () => {
      db.unitOfWork.afterCommit(async () => {
        seen.push(`committed ${(await ids()).join()}`);
      });
      await insert(1);
      expect(seen).toEqual([]);
    });
    const failing = db.unitOfWork.run(async () => {
      db.unitOfWork.afterCommit(() => void seen.push('never'));
      await insert(1);
    });
    await expect(failing).rejects.toBeInstanceOf(UniqueViolationError);
    expect(seen).toEqual(['committed 1']);
  });

  it('stays committed when an after-commit step fails', async () => {
    await db.unitOfWork.run(async () => {
      db.unitOfWork.afterCommit(() => {
        throw new Error('the cache is away');
      });
      await insert(1);
    });
    expect(await ids()).toEqual([1]);
  });

  it('fails when a failed statement was caught, because PostgreSQL commits nothing then', async () => {
    const after: string[] = [];
    const swallowing = db.unitOfWork.run(async () => {
      db.unitOfWork.afterCommit(() => void after.push('committed'));
      await insert(1);
      await insert(1).catch(() => undefined);
    });
    await expect(swallowing).rejects.toThrow('nothing was committed');
    expect(after).toEqual([]);
    expect(await ids()).toEqual([]);
    await expectNoLeak();
  });

  describe('with a statement that is sent with COMMIT', () => {
    const last = (id: number) => ({ text: 'INSERT INTO notes VALUES ($1, $2)', values: [id, 'last'] });

    it('commits both, or neither when the statement fails', async () => {
      const run = (id: number) =>
        db.unitOfWork.run(() => insert(id).then(() => id + 1), { last: (result) => last(result) });
      expect(await run(1)).toBe(2);
      await insert(4);
      await expect(run(3)).rejects.toBeInstanceOf(UniqueViolationError);
      expect(await ids()).toEqual([1, 2, 4]);
      await expectNoLeak();
    });

    it('commits nothing when its request is abandoned before', async () => {
      const context = new RequestContext('request-1', 60_000);
      const abandoned = context.run(() =>
        db.unitOfWork.run(
          async () => {
            await insert(1);
            context.abort('The client has disconnected.');
          },
          { last: () => last(2) },
        ),
      );
      await expect(abandoned).rejects.toMatchObject({ code: 'request-abandoned' });
      expect(await ids()).toEqual([]);
      await expectNoLeak();
    });

    it('commits both when its request is abandoned from then on', async () => {
      const context = new RequestContext('request-1', 60_000);
      await context.run(() =>
        db.unitOfWork.run(() => insert(1), {
          last: () => {
            queueMicrotask(() => context.abort('Too late.'));
            return last(2);
          },
        }),
      );
      expect(await ids()).toEqual([1, 2]);
      await expectNoLeak();
    });

    it('joins an outer unit of work with it', async () => {
      const failing = db.unitOfWork.run(async () => {
        await db.unitOfWork.run(() => insert(1), { last: () => last(2) });
        expect(await ids()).toEqual([1, 2]);
        throw new Error('outer');
      });
      await expect(failing).rejects.toThrow('outer');
      expect(await ids()).toEqual([]);
    });

    it('has its work done again when a migration has outdated the statement', async () => {
      await db.database.execute({ text: 'CREATE TABLE wide (id int)' });
      let runs = 0;
      const run = () =>
        db.unitOfWork.run(async () => void (runs += 1), {
          last: () => ({ name: 'wide', text: 'INSERT INTO wide VALUES ($1) RETURNING id', values: [1] }),
        });
      await Promise.all([run(), run(), run(), run()]);
      await db.database.execute({ text: 'ALTER TABLE wide ALTER id TYPE bigint' });
      await run();
      expect(runs).toBe(6);
      expect(await db.database.query({ text: 'SELECT count(*)::int AS n FROM wide' })).toEqual([{ n: 5 }]);
    });
  });

  it('continues after a failed statement that was caught around a savepoint', async () => {
    const after: string[] = [];
    const failure = await db.unitOfWork.run(async () => {
      await insert(1);
      const caught = db.unitOfWork.savepoint(async () => {
        db.unitOfWork.afterCommit(() => void after.push('of what was rolled back'));
        await insert(2);
        await insert(1);
      });
      const error: unknown = await caught.catch((reason: unknown) => reason);
      await db.unitOfWork.savepoint(() => insert(3));
      db.unitOfWork.afterCommit(() => void after.push('committed'));
      return error;
    });
    expect(failure).toBeInstanceOf(UniqueViolationError);
    expect((failure as UniqueViolationError).constraint).toBe('notes_pkey');
    expect(await ids()).toEqual([1, 3]);
    expect(after).toEqual(['committed']);
    await expectNoLeak();
  });

  it('keeps nothing of a savepoint in which its request was abandoned, also when that is caught', async () => {
    const context = new RequestContext('request-1', 60_000);
    const unit = context.run(() =>
      db.unitOfWork.run(async () => {
        await insert(1);
        const half = db.unitOfWork.savepoint(async () => {
          const running = insert(2);
          context.abort('The client has disconnected.');
          await running;
          await insert(3);
        });
        await expect(half).rejects.toThrow(TransientError);
      }),
    );
    // The cancellation may come so late that it meets the end of the savepoint, which then ends all of it.
    await unit.catch(() => undefined);
    expect(await ids()).not.toContain(2);
    await expectNoLeak();
  });

  it('supports nested savepoints', async () => {
    await db.unitOfWork.run(async () => {
      await insert(1);
      await db.unitOfWork.savepoint(async () => {
        await insert(2);
        await expect(db.unitOfWork.savepoint(() => insert(1))).rejects.toThrow(UniqueViolationError);
        await insert(3);
      });
    });
    expect(await ids()).toEqual([1, 2, 3]);
  });

  it('rejects statements beside an open savepoint, whose rollback would undo them', async () => {
    const inside = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    await db.unitOfWork.run(async () => {
      const open = db.unitOfWork.savepoint(async () => {
        await insert(1);
        inside.resolve();
        await gate.promise;
      });
      await inside.promise;
      await expect(insert(2)).rejects.toThrow('A savepoint is open');
      await expect(db.unitOfWork.savepoint(() => insert(3))).rejects.toThrow('A savepoint is open');
      gate.resolve();
      await open;
      await insert(4);
    });
    expect(await ids()).toEqual([1, 4]);
  });

  it('rejects statements beside a savepoint from the moment it is requested', async () => {
    await db.unitOfWork.run(async () => {
      const open = db.unitOfWork.savepoint(async () => {
        await insert(1);
        throw new Error('changed my mind');
      });
      const beside = [insert(2), db.unitOfWork.savepoint(() => insert(3)), db.dataSource.query('SELECT 1')];
      const endings = await Promise.allSettled([...beside, open]);
      expect(endings.map((ending) => String((ending as PromiseRejectedResult).reason))).toEqual([
        ...beside.map(() => expect.stringContaining('A savepoint is open') as string),
        'Error: changed my mind',
      ]);
      await insert(4);
    });
    expect(await ids()).toEqual([4]);
  });

  it('keeps its savepoint when a nested one fails', async () => {
    const failing = db.unitOfWork.run(() =>
      db.unitOfWork.savepoint(async () => {
        await insert(1);
        await insert(1).catch(() => undefined);
        await db.unitOfWork.savepoint(() => insert(2)).catch(() => undefined);
        await insert(3);
      }),
    );
    await expect(failing).rejects.toMatchObject({ code: '25P02' });
    expect(await ids()).toEqual([]);
  });

  it('rejects statements of a savepoint after its end', async () => {
    let late: Promise<unknown> = Promise.resolve();
    const gate = Promise.withResolvers<void>();
    await db.unitOfWork.run(async () => {
      await db.unitOfWork.savepoint(async () => {
        late = gate.promise.then(() => insert(9));
        await insert(1);
      });
      gate.resolve();
      await expect(late).rejects.toThrow('has ended');
    });
    expect(await ids()).toEqual([1]);
  });

  it('is not committed with a savepoint that was not awaited, whose later statements are rejected', async () => {
    let late: Promise<unknown> = Promise.resolve();
    const gate = Promise.withResolvers<void>();
    const unit = db.unitOfWork.run(async () => {
      const begun = Promise.withResolvers<void>();
      late = db.unitOfWork.savepoint(async () => {
        await insert(1);
        begun.resolve();
        await gate.promise;
        await insert(9);
      });
      await begun.promise;
    });
    await expect(unit).rejects.toThrow('A savepoint is open');
    gate.resolve();
    await expect(late).rejects.toThrow('has ended');
    expect(await ids()).toEqual([]);
    await expectNoLeak();
  });

  it('has no savepoint outside of a unit of work', async () => {
    await expect(db.unitOfWork.savepoint(() => insert(1))).rejects.toThrow('open unit of work');
  });

  it('rejects its statements after its end', async () => {
    let late: Promise<unknown> = Promise.resolve();
    const gate = Promise.withResolvers<void>();
    await db.unitOfWork.run(async () => {
      late = gate.promise.then(() => insert(9));
      await insert(1);
    });
    gate.resolve();
    await expect(late).rejects.toThrow('has ended');
    expect(await ids()).toEqual([1]);
  });

  it('reads one snapshot, and rejects writes, on request', async () => {
    const writing = db.unitOfWork.run(() => insert(1), { readOnly: true });
    await expect(writing).rejects.toMatchObject({ cause: { code: '25006' } });
    await db.unitOfWork.run(
      async () => {
        expect(await ids()).toEqual([]);
        const other = await db.anotherRoom();
        await other.database.execute({ text: "INSERT INTO notes VALUES (5, 'x')" });
        expect(await ids()).toEqual([]);
      },
      { isolation: 'REPEATABLE READ' },
    );
    expect(await ids()).toEqual([5]);
  });

  it('fails with a transient error when its connection is killed, and the pool recovers', async () => {
    const killed = db.unitOfWork.run(async () => {
      await insert(1);
      const [{ pid } = { pid: 0 }] = await db.database.query<{ pid: number }>({
        text: 'SELECT pg_backend_pid() AS pid',
      });
      const other = await db.anotherRoom();
      await other.database.query({ text: 'SELECT pg_terminate_backend($1)', values: [pid] });
      await insert(2);
    });
    await expect(killed).rejects.toBeInstanceOf(TransientError);
    await waitFor(async () => (await ids()).length === 0, { what: 'a pool that works' });
    await expectNoLeak();
  });

  it('leaks no connection, however it ends', async () => {
    const endings = Array.from({ length: 60 }, (_, i) =>
      db.unitOfWork
        .run(async () => {
          await insert(i % 7);
          if (i % 3 === 0) throw new Error('no');
        })
        .catch(() => undefined),
    );
    await Promise.all(endings);
    await expectNoLeak();
  });
});

describe('a statement', () => {
  it('that is rejected has the stack of its caller, inside and outside a unit of work', async () => {
    async function theRepository() {
      return await db.database.query({ text: 'SELECT nonsense' });
    }
    const inUnit = () => db.unitOfWork.run(theRepository);
    for (const ask of [theRepository, inUnit]) {
      const error = await ask().catch((refusal: unknown) => refusal as Error);
      expect(String((error as Error).stack)).toContain('theRepository');
    }
  });

  it('whose connection is released before its answer closes that connection', async () => {
    const room = await db.anotherRoom();
    const connection = await room.pool.lend();
    const unanswered = connection.send({ text: 'SELECT pg_sleep(1)' });
    connection.giveBack();
    await expect(unanswered).rejects.toThrow('Connection terminated');
    expect(room.database.poolState.total).toBe(0);
  });

  it('closes it also after one whose values could not be sent', async () => {
    const room = await db.anotherRoom();
    const connection = await room.pool.lend();
    const circular: Record<string, unknown> = {};
    circular.itself = circular;
    await expect(connection.send({ text: 'SELECT $1::jsonb', values: [circular] })).rejects.toThrow(
      /circular/,
    );
    await connection.send({ text: 'SELECT 1' });
    const unanswered = connection.send({ text: 'SELECT pg_sleep(1)' });
    connection.giveBack();
    await expect(unanswered).rejects.toThrow('Connection terminated');
  });

  it('is not sent for a cancelled request', async () => {
    const context = new RequestContext('request-1', 60_000);
    context.abort('The client went away.');
    await expect(context.run(() => insert(1))).rejects.toMatchObject({ code: 'request-abandoned' });
    expect(await ids()).toEqual([]);
  });

  it('is not sent after the deadline', async () => {
    const context = new RequestContext('request-1', -1);
    await expect(context.run(() => insert(1))).rejects.toMatchObject({ code: 'deadline-exceeded' });
  });

  it('is cancelled on the server when its client disconnects', async () => {
    const { database } = await db.anotherRoom({ DATABASE_STATEMENT_TIMEOUT_MS: '60000' });
    const context = new RequestContext('request-1', 60_000);
    const sleeping = context.run(() => database.query({ text: "SELECT pg_sleep(50), 'cancel me' AS mark" }));
    const asleep = async () => {
      const rows = await db.database.query({
        text: `SELECT FROM pg_stat_activity WHERE query LIKE '%cancel me%' AND state = 'active' AND pid <> pg_backend_pid()`,
      });
      return rows.length > 0;
    };
    await waitFor(asleep, { what: 'the query' });
    context.abort('The client went away.');
    await expect(sleeping).rejects.toBeInstanceOf(TransientError);
    await waitFor(async () => !(await asleep()), { what: 'the end of the query' });
    await expectNoLeak();
  });

  it('fails with a transient error when it times out or no connection can be made', async () => {
    const { database } = await db.anotherRoom({ DATABASE_STATEMENT_TIMEOUT_MS: '1500' });
    await expect(database.query({ text: 'SELECT pg_sleep(15)' })).rejects.toMatchObject({
      status: 503,
      code: 'database-unavailable',
    });
    const { total, idle, waiting } = database.poolState;
    expect({ lent: total - idle, waiting }).toEqual({ lent: 0, waiting: 0 });
  });

  it('reports which constraint it violated', async () => {
    await insert(1);
    await expect(insert(1)).rejects.toMatchObject({ constraint: 'notes_pkey' });
  });
});

describe('statements that the platform rejects', () => {
  /** All connections of the pool, by the processes that serve them: each is held until the others are. */
  const backends = async () => {
    const { promise: allHeld, resolve: arrive } = Promise.withResolvers<void>();
    const pids: number[] = [];
    const hold = () =>
      db.unitOfWork.run(async () => {
        const row = await db.database.queryOne<{ pid: number }>({ text: 'SELECT pg_backend_pid() AS pid' });
        if (pids.push(row!.pid) === POOL_SIZE) arrive();
        await allHeld;
      });
    await Promise.all(Array.from({ length: POOL_SIZE }, hold));
    return pids.toSorted((a, b) => a - b);
  };

  it('cost no connection: past the deadline, cancelled, or with values that cannot be sent', async () => {
    const before = await backends();
    const late = new RequestContext('request-1', 60_000);
    const left = new RequestContext('request-2', 60_000);
    const inUnit = (work: () => Promise<unknown>) =>
      db.unitOfWork.run(async () => {
        await insert(1);
        await work();
      });
    const circular: Record<string, unknown> = {};
    circular.itself = circular;
    const unsendable = () => db.database.query({ text: 'SELECT $1::jsonb', values: [circular] });
    const beyond = () => db.database.query({ text: 'SELECT 9007199254740993::bigint' });

    const endings = await Promise.allSettled([
      late.run(() =>
        inUnit(() => {
          Object.assign(late, { deadline: 0 });
          return insert(2);
        }),
      ),
      left.run(() =>
        inUnit(() => {
          left.abort('The client went away.');
          return insert(3);
        }),
      ),
    ]);
    expect(endings).toMatchObject([
      { reason: { code: 'deadline-exceeded' } },
      { reason: { code: 'request-abandoned' } },
    ]);
    await expect(unsendable()).rejects.toThrow(/circular/);
    await expect(beyond()).rejects.toThrow(RangeError);
    await expect(inUnit(unsendable)).rejects.toThrow(/circular/);
    expect(await ids()).toEqual([]);
    expect(await backends()).toEqual(before);
    await expectNoLeak();
  });

  it('cost no connection when their client disconnects while they run', async () => {
    const before = await backends();
    const left = new RequestContext('request-1', 60_000);
    const sleep = () => db.database.query({ text: 'SELECT pg_sleep(30)' });
    const inUnit = db.unitOfWork.run.bind(db.unitOfWork);
    const endings = left.run(() =>
      Promise.allSettled([
        sleep(),
        inUnit(async () => {
          await insert(1);
          await sleep();
        }),
        inUnit(() => Promise.all([insert(2), sleep(), insert(3)])),
      ]),
    );
    const running = `SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND state = 'active' AND pid <> pg_backend_pid()`;
    await waitFor(async () => (await db.database.query({ text: running })).length === 3, {
      what: 'all three statements to run',
    });
    left.abort('The client went away.');
    expect(await endings).toMatchObject(Array(3).fill({ reason: { code: 'request-abandoned' } }));
    expect(await ids()).toEqual([]);
    expect(await backends()).toEqual(before);
    await expectNoLeak();
  });

  it('are cancelled without harm to the next user of the connection, however late that is', async () => {
    const { database } = await db.anotherRoom({ DATABASE_POOL_SIZE: '1' });
    const pids = new Set<number>();
    for (let round = 0; round < 60; round += 1) {
      const left = new RequestContext('request-1', 60_000);
      // Ends at about the time at which it would be cancelled.
      const leaving = left.run(() =>
        database.query({ text: 'SELECT pg_sleep($1)', values: [0.04 + round / 3000] }),
      );
      setTimeout(() => left.abort('The client went away.'), 2);
      await leaving.catch(() => undefined);
      const next = await database.queryOne<{ pid: number }>({
        text: 'SELECT pg_backend_pid() AS pid FROM (SELECT pg_sleep(0.005)) AS nap',
      });
      pids.add(next!.pid);
    }
    expect(pids.size).toBe(1);
  });

  it('are no outage: requests with little time left do not open the circuit', async () => {
    const hurried = Array.from({ length: 12 }, () =>
      new RequestContext('request-1', 150).run(() => db.database.query({ text: 'SELECT pg_sleep(15)' })),
    );
    const endings = await Promise.allSettled(hurried);
    expect(endings.map((ending) => ending.status)).not.toContain('fulfilled');
    expect(endings[0]).toMatchObject({ reason: { code: 'deadline-exceeded' } });
    expect(db.policies.for('postgresql').circuit).toBe('closed');
  });

  it('leave nothing running on the server', async () => {
    const { database } = await db.anotherRoom({ DATABASE_STATEMENT_TIMEOUT_MS: '60000' });
    const context = new RequestContext('request-1', 200);
    const slow = context.run(() => database.query({ text: "SELECT pg_sleep(50), 'too late' AS mark" }));
    await expect(slow).rejects.toMatchObject({ code: 'deadline-exceeded' });
    const running = async () =>
      (
        await db.database.query({
          text: `SELECT FROM pg_stat_activity WHERE query LIKE '%too late%' AND state = 'active' AND pid <> pg_backend_pid()`,
        })
      ).length;
    await waitFor(async () => (await running()) === 0, { what: 'the cancellation' });
  });
});

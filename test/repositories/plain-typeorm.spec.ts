import { Column, DataSource, Entity, PrimaryColumn, Repository } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RequestContext } from '../../src/platform/context/index.js';
import { TransientError } from '../../src/platform/errors/index.js';
import { primaryPool } from '../../src/platform/database/data-source.js';
import { ConnectError } from '../../src/platform/database/database.errors.js';
import {
  nothingLent,
  openTestDatabase,
  type DatabaseRoom,
  type TestDatabase,
} from '../support/test-database.js';
import { waitFor } from '../../local/wait-for.js';

@Entity('notes')
class Note {
  @PrimaryColumn('int')
  id!: number;

  @Column('text')
  body!: string;
}

@Entity('deadlines')
class Deadline {
  @PrimaryColumn('int')
  id!: number;

  @Column('date', { name: 'due_on', default: '2026-01-01' })
  dueOn!: string;
}

/** A custom repository, as TypeORM documents it for Nest. */
class Notes extends Repository<Note> {
  constructor(dataSource: DataSource) {
    super(Note, dataSource.createEntityManager());
  }
}

let db: TestDatabase;
let notes: Repository<Note>;

beforeAll(async () => {
  db = await openTestDatabase({ DATABASE_POOL_SIZE: '4' }, ({ port }) => port, [Note, Deadline]);
  await db.database.execute({ text: 'CREATE TABLE notes (id int PRIMARY KEY, body text NOT NULL)' });
  await db.database.execute({
    text: `CREATE TABLE deadlines (id int PRIMARY KEY, due_on date NOT NULL DEFAULT '2026-01-01')`,
  });
  notes = db.dataSource.getRepository(Note);
});
afterAll(() => db?.close());
beforeEach(() => db.database.execute({ text: 'TRUNCATE notes' }));

const note = (id: number): Note => ({ id, body: 'x' });
/** What another process sees. */
const committed = async () =>
  (await db.database.query<{ id: number }>({ text: 'SELECT id FROM notes ORDER BY id' })).map(({ id }) => id);
const expectNoLeak = (room: DatabaseRoom = db) => nothingLent(room);
const requestOf = (milliseconds: number) => new RequestContext('request-1', milliseconds);

/** The ways in which TypeORM can be asked to write a row. */
const WAYS: Record<string, (id: number, dataSource: DataSource) => Promise<unknown>> = {
  'a repository’s save': (id, { manager }) => manager.getRepository(Note).save(note(id)),
  'a repository’s insert': (id, { manager }) => manager.getRepository(Note).insert(note(id)),
  'a custom repository': (id, dataSource) => new Notes(dataSource).save(note(id)),
  'the entity manager': (id, { manager }) => manager.save(Note, note(id)),
  'the entity manager’s transaction': (id, dataSource) =>
    dataSource.manager.transaction((manager) => manager.insert(Note, note(id))),
  'a query builder': (id, { manager }) =>
    manager.getRepository(Note).createQueryBuilder().insert().values(note(id)).execute(),
  'the data source’s query': (id, dataSource) =>
    dataSource.query('INSERT INTO notes VALUES ($1, $2)', [id, 'x']),
  'a query runner of its own': async (id, dataSource) => {
    const runner = dataSource.createQueryRunner();
    try {
      await runner.startTransaction();
      await runner.manager.insert(Note, note(id));
      await runner.commitTransaction();
    } finally {
      await runner.release();
    }
  },
};

describe.each(Object.entries(WAYS))('%s', (_, way) => {
  const write = (id: number) => way(id, db.dataSource);

  it('writes at once without a unit of work', async () => {
    await write(1);
    expect(await committed()).toEqual([1]);
    await expectNoLeak();
  });

  it('joins the open unit of work: sees it, commits with it and rolls back with it', async () => {
    await db.unitOfWork.run(async () => {
      await db.database.execute({ text: "INSERT INTO notes VALUES (1, 'x')" });
      await write(2);
      expect(await notes.countBy({ body: 'x' })).toBe(2);
    });
    expect(await committed()).toEqual([1, 2]);
    const failing = db.unitOfWork.run(async () => {
      await write(3);
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await committed()).toEqual([1, 2]);
    await expectNoLeak();
  });

  it('is rejected after the end of the unit of work in which it was started', async () => {
    let late: Promise<unknown> = Promise.resolve();
    const gate = Promise.withResolvers<void>();
    await db.unitOfWork.run(async () => {
      await notes.find();
      late = gate.promise.then(() => write(9));
    });
    gate.resolve();
    await expect(late).rejects.toThrow('has ended');
    expect(await committed()).toEqual([]);
  });

  it('fails with a conflict when another row has its key', async () => {
    await db.database.execute({ text: "INSERT INTO notes VALUES (1, 'y')" });
    const ending = await Promise.allSettled([write(1)]);
    // `save` of a known key is an update.
    if (ending[0].status === 'fulfilled') expect((await notes.findOneByOrFail({ id: 1 })).body).toBe('x');
    else expect(ending[0].reason).toMatchObject({ status: 409, constraint: 'notes_pkey' });
    await expectNoLeak();
  });

  it('fails with a transient error when it waits for a lock too long', async () => {
    await db.database.execute({ text: "INSERT INTO notes VALUES (1, 'x')" });
    const impatient = await db.anotherRoom({ DATABASE_LOCK_TIMEOUT_MS: '1000' });
    await db.unitOfWork.run(async () => {
      await db.database.execute({ text: 'LOCK TABLE notes' });
      await expect(way(2, impatient.dataSource)).rejects.toBeInstanceOf(TransientError);
    });
    await way(2, impatient.dataSource);
    await expectNoLeak(impatient);
  });

  it('is not sent for a request that was cancelled or is past its deadline', async () => {
    const left = requestOf(60_000);
    left.abort('The client went away.');
    await expect(left.run(() => write(1))).rejects.toMatchObject({ code: 'request-abandoned' });
    await expect(requestOf(-1).run(() => write(1))).rejects.toMatchObject({ code: 'deadline-exceeded' });
    expect(await committed()).toEqual([]);
    await expectNoLeak();
  });
});

describe('a statement of TypeORM', () => {
  it.each(['commit', 'rollback'])(
    'that is not awaited is rejected when its unit of work ends by %s before it is sent',
    async (ending) => {
      const gate = Promise.withResolvers<void>();
      const holdsBack = { beforeQuery: () => gate.promise };
      db.dataSource.subscribers.push(holdsBack);
      const stray: Promise<unknown>[] = [];
      const unit = db.unitOfWork.run(() => {
        stray.push(db.dataSource.query("INSERT INTO notes VALUES (9, 'x')"));
        return ending === 'commit' ? Promise.resolve() : Promise.reject(new Error('changed my mind'));
      });
      await unit.catch(() => undefined);
      gate.resolve();
      await expect(Promise.all(stray)).rejects.toThrow('has ended');
      db.dataSource.subscribers.splice(db.dataSource.subscribers.indexOf(holdsBack), 1);
      expect(await committed()).toEqual([]);
      await expectNoLeak();
    },
  );

  const sleeping = async (mark: string) =>
    (
      await db.database.query({
        text: `SELECT FROM pg_stat_activity WHERE query LIKE $1 AND state = 'active' AND pid <> pg_backend_pid()`,
        values: [`%${mark}%`],
      })
    ).length > 0;

  it('is cancelled on the server when its client disconnects', async () => {
    const context = requestOf(60_000);
    const slow = context.run(() => db.dataSource.query("SELECT pg_sleep(15), 'leave me' AS mark"));
    slow.catch(() => undefined);
    await waitFor(() => sleeping('leave me'), { what: 'the query' });
    context.abort('The client went away.');
    await expect(slow).rejects.toMatchObject({ code: 'request-abandoned' });
    await waitFor(async () => !(await sleeping('leave me')), {
      within: 10_000,
      what: 'the end of the query',
    });
    await expectNoLeak();
  });

  it('takes no longer than the deadline of its request', async () => {
    const slow = requestOf(200).run(() => db.dataSource.query("SELECT pg_sleep(15), 'too slow' AS mark"));
    await expect(slow).rejects.toMatchObject({ code: 'deadline-exceeded' });
    await waitFor(async () => !(await sleeping('too slow')), { within: 10_000, what: 'the cancellation' });
    await expectNoLeak();
  });

  it('that ends a deadlock fails with a transient error', async () => {
    await notes.insert([note(1), note(2)]);
    const both = Promise.withResolvers<void>();
    let waiting = 2;
    const lockBoth = (first: number, second: number) =>
      notes.manager.transaction(async (manager) => {
        await manager.update(Note, first, { body: 'y' });
        if ((waiting -= 1) === 0) both.resolve();
        await both.promise;
        await manager.update(Note, second, { body: 'y' });
      });
    const endings = await Promise.allSettled([lockBoth(1, 2), lockBoth(2, 1)]);
    const failed = endings.filter(({ status }) => status === 'rejected');
    expect(failed).toMatchObject([{ reason: { status: 503, code: 'database-unavailable' } }]);
    await expectNoLeak();
  });

  it('whose request is cancelled in a transaction leaves no open transaction to the next user', async () => {
    const context = requestOf(60_000);
    const interrupted = context.run(() =>
      notes.manager.transaction(async (manager) => {
        await manager.insert(Note, note(1));
        context.abort('The client went away.');
        await manager.insert(Note, note(2));
      }),
    );
    await expect(interrupted).rejects.toMatchObject({ code: 'request-abandoned' });
    await Promise.all(Array.from({ length: 4 }, (_, i) => notes.insert(note(10 + i))));
    const other = await db.anotherRoom();
    const seen = await other.database.query<{ id: number }>({ text: 'SELECT id FROM notes ORDER BY id' });
    expect(seen.map(({ id }) => id)).toEqual([10, 11, 12, 13]);
  });

  it('whose query runner is released inside a transaction closes its connection', async () => {
    const runner = db.dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.manager.insert(Note, note(1));
    await runner.release();
    expect(await committed()).toEqual([]);
    await Promise.all(Array.from({ length: 4 }, (_, i) => notes.insert(note(10 + i))));
    const other = await db.anotherRoom();
    expect(await other.database.query({ text: 'SELECT id FROM notes' })).toHaveLength(4);
  });
});

describe('a date', () => {
  it('is text: in raw rows, in entities, and in what an insert returns', async () => {
    const deadlines = db.dataSource.getRepository(Deadline);
    const inserted = deadlines.create({ id: 1, dueOn: '2026-03-01' });
    await deadlines.insert(inserted);
    const raw = await db.database.queryOne({ text: 'SELECT due_on FROM deadlines' });
    expect([inserted.dueOn, (await deadlines.findOneByOrFail({ id: 1 })).dueOn, raw]).toEqual([
      '2026-03-01',
      '2026-03-01',
      { due_on: '2026-03-01' },
    ]);
  });
});

describe('a query runner', () => {
  it('whose connection breaks between two statements fails with a transient error', async () => {
    const runner = db.dataSource.createQueryRunner();
    await runner.startTransaction();
    const [{ pid }] = (await runner.query('SELECT pg_backend_pid() AS pid')) as [{ pid: number }];
    await db.database.execute({ text: 'SELECT pg_terminate_backend($1)', values: [pid] });
    await waitFor(() => runner.isReleased, { what: 'the loss of the connection' });
    await expect(runner.manager.insert(Note, note(1))).rejects.toMatchObject({
      code: 'database-unavailable',
    });
    await runner.release();
    await expectNoLeak();
  });

  it('that was released by its owner says so', async () => {
    const runner = db.dataSource.createQueryRunner();
    await runner.query('SELECT 1');
    await runner.release();
    await expect(runner.query('SELECT 1')).rejects.toThrow('already released');
  });
});

describe('a busy pool', () => {
  it('limits the wait of TypeORM in time and number', async () => {
    const room = await db.anotherRoom({ DATABASE_POOL_SIZE: '1', DATABASE_ACQUIRE_TIMEOUT_MS: '2000' });
    const held = Promise.withResolvers<void>();
    const lent = Promise.withResolvers<void>();
    const holder = room.unitOfWork.run(() => {
      lent.resolve();
      return held.promise;
    });
    await lent.promise;
    const asked = Array.from({ length: 30 }, () => room.dataSource.query('SELECT 1'));
    const endings = await Promise.allSettled(asked);
    expect(endings.map((ending) => ending.status)).not.toContain('fulfilled');
    for (const ending of endings) {
      expect(ending).toMatchObject({ reason: { status: 503, code: 'database-saturated' } });
    }
    held.resolve();
    await holder;
    expect(await room.dataSource.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(room.policies.for('postgresql').circuit).toBe('closed');
  });

  it('limits the wait in time and number when its circuit has just closed', async () => {
    const room = await db.anotherRoom({ DATABASE_POOL_SIZE: '1', DATABASE_ACQUIRE_TIMEOUT_MS: '2000' });
    const { trial, askers } = await halfOpen(room);
    const early = await Promise.allSettled(askers(30));
    expect(early.map(({ status }) => status)).not.toContain('fulfilled');
    for (const ending of early) expect(ending).toMatchObject({ reason: { code: 'database-saturated' } });
    const waiting = Promise.allSettled(askers(100));
    await trial.send({ text: 'SELECT 1' });
    await waitFor(() => room.policies.for('postgresql').circuit === 'closed', { what: 'a closed circuit' });
    const most = 20;
    expect(room.database.poolState.waiting).toBeLessThanOrEqual(most);
    trial.giveBack();
    const endings = await waiting;
    expect(endings.filter(({ status }) => status === 'rejected').length).toBeGreaterThanOrEqual(100 - most);
  });

  it('leaves its circuit open when it has no connection for the trial', async () => {
    const room = await db.anotherRoom({ DATABASE_POOL_SIZE: '1', DATABASE_ACQUIRE_TIMEOUT_MS: '300' });
    const dependency = room.policies.for('postgresql');
    const states: string[] = [];
    dependency.onCircuitChange((state) => states.push(state));
    const busy = await room.pool.lend();
    await openCircuit(room);
    await waitFor(
      () =>
        room.pool.send({ text: 'SELECT 1' }).then(
          () => false,
          ({ code }: TransientError) => code === 'database-saturated',
        ),
      { what: 'a trial that gets no connection' },
    );
    await waitFor(() => dependency.circuit !== 'half-open', { what: 'the end of the trial' });
    expect(states).toEqual(['open', 'half-open', 'open']);
    busy.giveBack();
    await waitFor(() => room.pool.send({ text: 'SELECT 1' }), { what: 'an answer' });
    await waitFor(() => dependency.circuit === 'closed', { what: 'a closed circuit' });
  });

  it('that has been closed is no outage of PostgreSQL', async () => {
    const dependency = db.policies.for('postgresql');
    const ended = primaryPool(db.settings.database, 'ended', { dependency });
    await ended.end();
    for (let i = 0; i < 20; i += 1) {
      await expect(ended.send({ text: 'SELECT 1' })).rejects.toMatchObject({
        code: 'database-unavailable',
      });
    }
    expect(dependency.circuit).toBe('closed');
  });
});

async function openCircuit(room: DatabaseRoom): Promise<void> {
  const dependency = room.policies.for('postgresql');
  const report = () =>
    dependency.admit(
      (ended) => ended(new ConnectError(new Error('down'))),
      () => undefined,
    );
  await waitFor(
    () => {
      report();
      return dependency.circuit === 'open';
    },
    { what: 'an open circuit' },
  );
}

/** Opens the circuit of a room, and lends its only connection as the trial once PostgreSQL is asked again. */
async function halfOpen(room: DatabaseRoom) {
  await openCircuit(room);
  const trial = await waitFor(() => room.pool.lend(), { what: 'a trial' });
  const askers = (count: number) => Array.from({ length: count }, () => room.pool.send({ text: 'SELECT 1' }));
  return { trial, askers };
}

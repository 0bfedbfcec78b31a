import { Column, Entity, PrimaryColumn, type EntityManager, type Repository } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { UniqueViolationError } from '../../src/platform/database/index.js';
import { nothingLent, openTestDatabase, type TestDatabase } from '../support/test-database.js';

@Entity('notes')
class Note {
  @PrimaryColumn('int')
  id!: number;

  @Column('text')
  body!: string;
}

let db: TestDatabase;
let notes: Repository<Note>;

beforeAll(async () => {
  db = await openTestDatabase({ DATABASE_POOL_SIZE: '4' }, ({ port }) => port, [Note]);
  await db.database.execute({ text: 'CREATE TABLE notes (id int PRIMARY KEY, body text NOT NULL)' });
  notes = db.dataSource.getRepository(Note);
});
afterAll(() => db?.close());
beforeEach(() => db.database.execute({ text: 'TRUNCATE notes' }));

const note = (id: number): Note => ({ id, body: 'x' });
/** What another process sees. */
const committed = async () =>
  (await db.database.query<{ id: number }>({ text: 'SELECT id FROM notes ORDER BY id' })).map(({ id }) => id);
const expectNoLeak = () => nothingLent(db);

describe('a transaction of TypeORM', () => {
  it('is a unit of work: repositories and named SQL join it, and after-commit steps follow it', async () => {
    const heard: string[] = [];
    const work = async (manager: EntityManager) => {
      await manager.insert(Note, note(1));
      await notes.insert(note(2));
      await db.database.execute({ text: "INSERT INTO notes VALUES (3, 'x')" });
      db.unitOfWork.afterCommit(() => void heard.push('committed'));
      expect(heard).toEqual([]);
    };
    const failing = db.dataSource.transaction(async (manager) => {
      await work(manager);
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect([await committed(), heard]).toEqual([[], []]);
    await notes.manager.transaction(work);
    expect([await committed(), heard]).toEqual([[1, 2, 3], ['committed']]);
    await expectNoLeak();
  });

  it('has the requested isolation', async () => {
    const level = async (manager: EntityManager) =>
      (await manager.query<[object]>('SHOW transaction_isolation'))[0];
    expect(await db.dataSource.transaction(level)).toEqual({ transaction_isolation: 'read committed' });
    expect(await db.dataSource.transaction('SERIALIZABLE', level)).toEqual({
      transaction_isolation: 'serializable',
    });
  });

  it('fails when it is committed after a failed statement, because PostgreSQL rolls it back', async () => {
    const failOnce = async (manager: EntityManager) => {
      await manager.insert(Note, note(1));
      await expect(manager.insert(Note, note(1))).rejects.toBeInstanceOf(UniqueViolationError);
    };
    await expect(db.dataSource.transaction(failOnce)).rejects.toThrow('nothing was committed');
    const runner = db.dataSource.createQueryRunner();
    await runner.startTransaction();
    await failOnce(runner.manager);
    await expect(runner.commitTransaction()).rejects.toThrow('nothing was committed');
    await runner.rollbackTransaction();
    await runner.release();
    expect(await committed()).toEqual([]);
    await expectNoLeak();
  });
});

describe('a transaction of TypeORM inside a unit of work', () => {
  it('is a savepoint: a failure rolls back only that', async () => {
    await db.unitOfWork.run(async () => {
      await notes.insert(note(1));
      const inner = notes.manager.transaction(async (manager) => {
        await manager.insert(Note, note(2));
        await notes.insert(note(1));
      });
      await expect(inner).rejects.toBeInstanceOf(UniqueViolationError);
      await notes.manager.transaction((manager) => manager.insert(Note, note(3)));
    });
    expect(await committed()).toEqual([1, 3]);
    await expectNoLeak();
  });

  it('is rejected beside another one, whose rollback would undo its work', async () => {
    await db.unitOfWork.run(async () => {
      const inside = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      const failing = db.dataSource.transaction(async (manager) => {
        await manager.insert(Note, note(1));
        inside.resolve();
        await gate.promise;
        throw new Error('changed my mind');
      });
      await inside.promise;
      const beside = [
        () => notes.manager.transaction((manager) => manager.insert(Note, note(2))),
        () => notes.insert(note(3)),
        async () => db.dataSource.createQueryRunner().startTransaction(),
      ];
      for (const work of beside) await expect(work()).rejects.toThrow('A savepoint is open; await its end');
      gate.resolve();
      await expect(failing).rejects.toThrow('changed my mind');
      await db.dataSource.transaction((manager) => manager.insert(Note, note(4)));
    });
    expect(await committed()).toEqual([4]);
  });

  it('may contain others, and its manager may be used in them', async () => {
    await db.unitOfWork.run(() =>
      db.dataSource.transaction(async (outer) => {
        await outer.insert(Note, note(1));
        const inner = outer.transaction(async (manager) => {
          await manager.insert(Note, note(2));
          await outer.insert(Note, note(3));
          throw new Error('changed my mind');
        });
        await expect(inner).rejects.toThrow('changed my mind');
        await outer.insert(Note, note(4));
      }),
    );
    expect(await committed()).toEqual([1, 4]);
  });

  it('is begun once by a query runner that all in the unit of work share', async () => {
    await db.unitOfWork.run(async () => {
      const runner = db.dataSource.createQueryRunner();
      await runner.startTransaction();
      await runner.manager.insert(Note, note(1));
      await expect(db.dataSource.createQueryRunner().startTransaction()).rejects.toThrow(
        'manager.transaction()',
      );
      await runner.rollbackTransaction();
      await runner.manager.insert(Note, note(2));
    });
    expect(await committed()).toEqual([2]);
  });

  it('that is rolled back by a query runner takes its after-commit steps with it', async () => {
    const heard: string[] = [];
    await db.unitOfWork.run(async () => {
      db.unitOfWork.afterCommit(() => void heard.push('before'));
      const runner = db.dataSource.createQueryRunner();
      await runner.startTransaction();
      db.unitOfWork.afterCommit(() => void heard.push('inside'));
      await runner.rollbackTransaction();
      db.unitOfWork.afterCommit(() => void heard.push('afterwards'));
    });
    expect(heard).toEqual(['before', 'afterwards']);
  });

  it.each([
    ['the unit of work', (work: () => Promise<void>) => db.unitOfWork.run(work)],
    [
      'a transaction in it',
      (work: () => Promise<void>) => db.unitOfWork.run(() => db.dataSource.transaction(work)),
    ],
  ])('that a query runner has begun and not ended is not committed with %s', async (_, open) => {
    const unit = open(async () => {
      const runner = db.dataSource.createQueryRunner();
      await runner.startTransaction();
      await runner.manager.insert(Note, note(1));
      await runner.release();
    });
    await expect(unit).rejects.toThrow('has neither committed it nor rolled it back');
    expect(await committed()).toEqual([]);
    await expectNoLeak();
  });

  it('cannot end the unit of work', async () => {
    const failing = db.unitOfWork.run(async () => {
      await notes.insert(note(1));
      await db.dataSource.createQueryRunner().commitTransaction();
    });
    await expect(failing).rejects.toThrow(/start transaction/i);
    expect(await committed()).toEqual([]);
  });

  it.each([
    ['a transaction', () => db.dataSource.transaction('SERIALIZABLE', () => Promise.resolve())],
    [
      'a query runner',
      async () => {
        const runner = db.dataSource.createQueryRunner();
        await runner.startTransaction('SERIALIZABLE');
        await runner.commitTransaction();
      },
    ],
  ])('is refused when %s asks for more isolation than that has', async (_, ask) => {
    for (const isolation of [undefined, 'REPEATABLE READ'] as const) {
      const unit = db.unitOfWork.run(ask, { isolation });
      await expect(unit).rejects.toThrow(`open that one with isolation: 'SERIALIZABLE'`);
    }
    await db.unitOfWork.run(ask, { isolation: 'SERIALIZABLE' });
    await expectNoLeak();
  });
});

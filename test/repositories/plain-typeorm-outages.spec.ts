import { Column, Entity, PrimaryColumn, type Repository } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';
import { waitFor } from '../../local/wait-for.js';

@Entity('notes')
class Note {
  @PrimaryColumn('int')
  id!: number;

  @Column('text')
  body!: string;
}

/** Far above what the limits below add up to: a machine that is busy is slow. Without them nothing would ever end. */
const UNAVAILABLE_WITHIN_MS = 15_000;

describe.each(['frozen', 'killed'] as const)('a repository of TypeORM, while PostgreSQL is %s', (how) => {
  let db: TestDatabase;
  let notes: Repository<Note>;

  beforeAll(async () => {
    db = await openTestDatabase(
      {
        DATABASE_POOL_SIZE: '4',
        DATABASE_ACQUIRE_TIMEOUT_MS: '2000',
        DATABASE_QUERY_TIMEOUT_MS: '2000',
        DATABASE_STATEMENT_TIMEOUT_MS: '1950',
        DATABASE_LOCK_TIMEOUT_MS: '1900',
      },
      ({ port }) => port,
      [Note],
    );
    await db.database.execute({ text: 'CREATE TABLE notes (id int PRIMARY KEY, body text NOT NULL)' });
    notes = db.dataSource.getRepository(Note);
    await notes.insert({ id: 1, body: 'x' });
  });
  afterAll(() => db?.close());

  it('fails in time, opens the circuit, and works again soon after', async () => {
    const refused = async (work: () => Promise<unknown>): Promise<void> => {
      const startedAt = performance.now();
      await expect(work()).rejects.toMatchObject({
        status: 503,
        retryAfterSeconds: expect.any(Number) as number,
      });
      expect(performance.now() - startedAt).toBeLessThan(UNAVAILABLE_WITHIN_MS);
    };
    const tries = [
      () => notes.findOneBy({ id: 1 }),
      () => notes.save({ id: 2, body: 'y' }),
      () => db.unitOfWork.run(() => notes.update(1, { body: 'y' })),
      () => notes.manager.transaction((manager) => manager.delete(Note, 1)),
    ];
    if (how === 'frozen') db.server.freeze();
    else await db.server.kill();
    try {
      await waitFor(
        async () => {
          await Promise.all(tries.map((work) => refused(work)));
          return db.policies.for('postgresql').circuit !== 'closed';
        },
        { within: 60_000, what: 'an open circuit' },
      );
    } finally {
      if (how === 'frozen') db.server.thaw();
      else await db.server.restart();
    }
    // The first to be let through keeps its connection: nobody has to wait for the end of that.
    const first = await waitFor(
      async () => {
        const runner = db.dataSource.createQueryRunner();
        await runner.query('SELECT 1').catch(async (error: unknown) => {
          await runner.release();
          throw error;
        });
        return runner;
      },
      { what: 'the first answer' },
    );
    const healthy = async () => {
      await notes.findOneByOrFail({ id: 1 });
      return db.policies.for('postgresql').circuit === 'closed';
    };
    await waitFor(healthy, { what: 'reads, and a closed circuit' });
    await first.release();
    await waitFor(
      () => {
        const { total, idle, waiting } = db.database.poolState;
        return total === idle && waiting === 0;
      },
      { what: 'a pool whose connections are all given back' },
    );
  });
});

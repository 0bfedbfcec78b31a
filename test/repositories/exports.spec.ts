import type { Repository } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  ExportRunsRepository,
  SupersededError,
  type ExportRun,
} from '../../src/modules/exports/export-runs.repository.js';
import { ExportChunk } from '../../src/modules/exports/export-chunk.entity.js';
import { Export } from '../../src/modules/exports/export.entity.js';
import { ExportSweepRepository } from '../../src/modules/exports/export-sweep.repository.js';
import { ExportsSweep } from '../../src/modules/exports/exports.sweep.js';
import { loadSettings } from '../../src/config/index.js';
import { PRODUCT } from '../../src/product.js';
import { newId } from '../../src/platform/database/index.js';
import { User } from '../../src/modules/users/user.entity.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { newUserRow } from '../factories/users.ts';

describe('The rows of exports', () => {
  let db: TestDatabase;
  let exports: Repository<Export>;
  let chunks: Repository<ExportChunk>;
  let runs: ExportRunsRepository;
  let sweep: ExportSweepRepository;
  let userId: string;

  beforeAll(async () => {
    db = await openTestDatabase({}, undefined, [User, Export, ExportChunk]);
    exports = db.dataSource.getRepository(Export);
    chunks = db.dataSource.getRepository(ExportChunk);
    runs = new ExportRunsRepository(db.database, exports);
    sweep = new ExportSweepRepository(db.database);
  });

  afterAll(() => db?.close());

  beforeEach(async () => {
    await db.database.execute({ text: 'TRUNCATE users CASCADE' });
    userId = await newUserRow(db.database);
  });

  async function add(ageDays = 0): Promise<string> {
    const id = newId();
    await exports.insert({ id, userId, type: 'orders', allUsers: false, status: 'queued' });
    await age(id, ageDays);
    return id;
  }

  /** As if its request and its last progress were so long ago. */
  async function age(id: string, days: number): Promise<void> {
    await db.database.execute({
      text: `UPDATE exports SET created_at = now() - make_interval(days => $2),
               progressed_at = now() - make_interval(days => $2) WHERE id = $1`,
      values: [id, days],
    });
  }

  /** A finished file. */
  async function addComplete(ageDays: number, chunks = 1): Promise<string> {
    const run = await begin(await add());
    for (let seq = 0; seq < chunks; seq += 1) await runs.append(run, seq, bytes('x'), seq);
    await runs.complete(run, chunks);
    await age(run.exportId, ageDays);
    return run.exportId;
  }

  async function begin(exportId: string): Promise<ExportRun> {
    const run = await runs.begin(exportId);
    if (!run) throw new Error('There is nothing to do');
    return run;
  }

  async function chunksOf(exportId: string): Promise<{ attempt: number; seq: number }[]> {
    return db.database.query({
      text: 'SELECT attempt, seq FROM export_chunks WHERE export_id = $1 ORDER BY attempt, seq',
      values: [exportId],
    });
  }

  const chunk = async (exportId: string, attempt: number, seq: number) =>
    (await chunks.findOneBy({ exportId, attempt, seq }))?.data;

  const bytes = (text: string) => Buffer.from(text);

  it('are begun with the range that was asked for', async () => {
    const range = { from: new Date('2026-01-01T00:00:00.123Z'), to: new Date('2026-02-01T00:00:00Z') };
    const id = newId();
    await exports.insert({ id, userId, type: 'orders', allUsers: true, status: 'queued', ...range });

    expect(await begin(id)).toEqual({ exportId: id, attempt: 1, userId, allUsers: true, ...range });
  });

  it('show the progress with each chunk, and are completed with the number of rows', async () => {
    const id = await add();
    const run = await begin(id);
    await runs.recordTotal(run, 10);
    await runs.append(run, 0, bytes('a'), 4);
    expect(await exports.findOneBy({ id })).toMatchObject({
      status: 'running',
      rowsWritten: 4,
      rowsTotal: 10,
    });
    // Orders placed after the count.
    await runs.append(run, 1, bytes('b'), 11);
    expect(await exports.findOneBy({ id })).toMatchObject({ rowsWritten: 11, rowsTotal: 11 });
    await runs.complete(run, 2);
    const row = await exports.findOneBy({ id });
    expect(row).toMatchObject({
      status: 'completed',
      chunkCount: 2,
      attempt: 1,
      completedAt: expect.any(Date) as Date,
    });
    expect(await chunk(id, 1, 1)).toEqual(bytes('b'));
    expect(await chunk(id, 1, 2)).toBeUndefined();
  });

  it('keep a chunk as it is, including bytes that are not text', async () => {
    const run = await begin(await add());
    const data = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
    await runs.append(run, 0, data, 1);

    expect((await chunk(run.exportId, 1, 0))?.equals(data)).toBe(true);
  });

  describe('when a second run has started', () => {
    let first: ExportRun;
    let second: ExportRun;

    beforeEach(async () => {
      const id = await add();
      first = await begin(id);
      await runs.append(first, 0, bytes('first'), 1);
      second = await begin(id);
    });

    it('contain nothing of the first one, and start without progress', async () => {
      expect(second.attempt).toBe(2);
      expect(await chunksOf(first.exportId)).toEqual([]);
      expect(await exports.findOneBy({ id: first.exportId })).toMatchObject({ rowsWritten: 0 });
    });

    it('let the first one write nothing', async () => {
      await expect(runs.append(first, 1, bytes('late'), 2)).rejects.toThrow(SupersededError);
      await expect(runs.recordTotal(first, 99)).rejects.toThrow(SupersededError);
      await expect(runs.complete(first, 2)).rejects.toThrow(SupersededError);
      await runs.fail(first);

      expect(await chunksOf(first.exportId)).toEqual([]);
      expect(await exports.findOneBy({ id: first.exportId })).toMatchObject({
        status: 'running',
        rowsWritten: 0,
      });
    });

    it('accept what the second one writes', async () => {
      await runs.append(second, 0, bytes('second'), 1);
      await runs.complete(second, 1);

      expect(await chunk(second.exportId, 2, 0)).toEqual(bytes('second'));
    });
  });

  it('never mix chunks of two runs that write at the same time', async () => {
    const id = await add();
    // All begun before any writes: one that was quick enough would complete the export, and end the race.
    const begun = [await begin(id), await begin(id), await begin(id)];
    const write = async (run: (typeof begun)[number]) => {
      try {
        for (let seq = 0; seq < 20; seq += 1) await runs.append(run, seq, bytes(`${run.attempt}`), seq);
        await runs.complete(run, 20);
        return run.attempt;
      } catch (error) {
        if (error instanceof SupersededError) return undefined;
        throw error;
      }
    };
    const outcomes = (await Promise.all(begun.map(write))).filter((attempt) => attempt !== undefined);

    expect(outcomes).toEqual([3]);
    expect(await chunksOf(id)).toEqual(Array.from({ length: 20 }, (_, seq) => ({ attempt: 3, seq })));
  });

  it('start no run once they are completed or deleted', async () => {
    const id = await add();
    await runs.complete(await begin(id), 0);

    expect(await runs.begin(id)).toBeUndefined();
    expect(await runs.begin(newId())).toBeUndefined();
  });

  it('start another run after a failure', async () => {
    const id = await add();
    await runs.fail(await begin(id));
    expect(await exports.findOneBy({ id })).toMatchObject({ status: 'failed' });

    expect(await begin(id)).toMatchObject({ attempt: 2 });
    expect(await exports.findOneBy({ id })).toMatchObject({ status: 'running' });
  });

  describe('swept', () => {
    it('are deleted when they are too old, with their chunks', async () => {
      const [old, young] = [await addComplete(8), await addComplete(6)];

      expect(await sweep.removeChunks(7)).toBe(1);
      expect(await sweep.removeChunks(7)).toBe(0);
      expect(await sweep.remove(7)).toBe(1);
      expect(await exports.findOneBy({ id: old })).toBeNull();
      expect(await chunksOf(young)).toHaveLength(1);
    });

    it('lose the chunks of failed runs, but not those of active runs', async () => {
      const [failed, running] = [await begin(await add()), await begin(await add())];
      for (const run of [failed, running]) await runs.append(run, 0, bytes('x'), 1);
      await runs.fail(failed);

      expect(await sweep.removeChunks(7)).toBe(1);
      expect(await chunksOf(running.exportId)).toHaveLength(1);
    });

    it('in steps of at most a hundred chunks', async () => {
      await addComplete(8, 150);

      expect(await sweep.removeChunks(7)).toBe(100);
      expect(await sweep.removeChunks(7)).toBe(50);
    });

    it('are kept by the clock of PostgreSQL, not that of the worker', async () => {
      const run = await begin(await add());
      await runs.append(run, 0, bytes('x'), 1);
      const now = Date.now();
      vi.spyOn(Date, 'now').mockReturnValue(now + 8 * 86_400_000);

      await new ExportsSweep(sweep, loadSettings({}, PRODUCT)).sweep();

      expect(await exports.findOneBy({ id: run.exportId })).toMatchObject({ status: 'running' });
      expect(await chunksOf(run.exportId)).toHaveLength(1);
    });

    it('count as failed when their run has written nothing for a long time', async () => {
      const [stuck, fresh] = [await begin(await add(2)), await begin(await add(2))];
      await age(stuck.exportId, 2);
      await sweep.giveUp(1);

      expect(await exports.findOneBy({ id: stuck.exportId })).toMatchObject({ status: 'failed' });
      expect(await exports.findOneBy({ id: fresh.exportId })).toMatchObject({ status: 'running' });
    });

    it('count as failed when they have waited for a long time and later ones have started', async () => {
      const stuck = await add(3);
      await sweep.giveUp(1);
      expect(await exports.findOneBy({ id: stuck })).toMatchObject({ status: 'queued' });
      await begin(await add(2));
      const waiting = await add(2);
      await sweep.giveUp(1);

      expect(await exports.findOneBy({ id: stuck })).toMatchObject({ status: 'failed' });
      expect(await exports.findOneBy({ id: waiting })).toMatchObject({ status: 'queued' });
    });

    it('continue while they make progress, at any age', async () => {
      const run = await begin(await add());
      await runs.append(run, 0, bytes('x'), 1);
      await age(run.exportId, 30);
      await runs.append(run, 1, bytes('y'), 2);
      await new ExportsSweep(sweep, loadSettings({}, PRODUCT)).sweep();
      await runs.append(run, 2, bytes('z'), 3);
      await runs.complete(run, 3);
      await new ExportsSweep(sweep, loadSettings({}, PRODUCT)).sweep();

      expect(await exports.findOneBy({ id: run.exportId })).toMatchObject({
        status: 'completed',
        attempt: 1,
      });
      expect(await chunksOf(run.exportId)).toHaveLength(3);
    });
  });
});

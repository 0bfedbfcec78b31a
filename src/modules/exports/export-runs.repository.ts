import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository, type QueryDeepPartialEntity } from 'typeorm';
import { Database } from '../../platform/database/index.js';
import { CHUNKS_PER_STEP } from './export-sweep.repository.js';
import { Export } from './export.entity.js';

/** The right to write one export: it is lost as soon as another run takes the next attempt. */
export interface ExportRun extends Pick<Export, 'attempt' | 'userId' | 'allUsers' | 'from' | 'to'> {
  exportId: string;
}

/** Another run has taken over: this one has nothing more to do, and its last write did not happen. */
export class SupersededError extends Error {
  constructor({ exportId, attempt }: ExportRun) {
    super(`Run ${attempt} of export ${exportId} was superseded by another one`);
    this.name = 'SupersededError';
  }
}

/** The worker's writes. Each is conditional on the run's attempt still being the current one. */
@Injectable()
export class ExportRunsRepository {
  constructor(
    private readonly database: Database,
    @InjectRepository(Export) private readonly exports: Repository<Export>,
  ) {}

  /**
   * Starts a run: takes the next attempt, and drops what earlier ones have written.
   * @returns undefined when there is nothing to do: the export is complete, or gone
   */
  async begin(exportId: string): Promise<ExportRun | undefined> {
    const run = await this.database.queryOne<ExportRun>({
      text: `
        UPDATE exports SET attempt = attempt + 1, status = 'running', rows_written = 0, progressed_at = now()
        WHERE id = $1 AND status <> 'completed'
        RETURNING id AS "exportId", attempt, user_id AS "userId", all_users AS "allUsers",
          range_from AS "from", range_to AS "to"`,
      values: [exportId],
    });
    // A write of an earlier run locks the row of the export: all such writes came before the update, none comes after.
    if (run) await this.dropEarlier(run);
    return run;
  }

  /** Writes how many rows there will be. @throws SupersededError */
  async recordTotal(run: ExportRun, total: number): Promise<void> {
    await this.change(run, { rowsTotal: total });
  }

  /**
   * Writes a chunk together with the progress.
   * @param rows rows written so far, those in this chunk included
   * @throws SupersededError
   */
  async append(run: ExportRun, seq: number, data: Uint8Array, rows: number): Promise<void> {
    const written = await this.database.execute({
      name: 'exports-append',
      text: `
        WITH current AS (
          UPDATE exports SET rows_written = $5, rows_total = GREATEST(rows_total, $5), progressed_at = now()
          WHERE id = $1 AND attempt = $2 AND status = 'running'
          RETURNING id
        )
        INSERT INTO export_chunks (export_id, attempt, seq, data) SELECT id, $2, $3, $4 FROM current`,
      values: [run.exportId, run.attempt, seq, data, rows],
    });
    if (written === 0) throw new SupersededError(run);
  }

  /** Declares the file complete. @throws SupersededError */
  async complete(run: ExportRun, chunkCount: number): Promise<void> {
    await this.change(run, {
      status: 'completed',
      completedAt: () => 'now()',
      chunkCount,
      rowsTotal: () => 'rows_written',
    });
  }

  /** Declares the export failed, unless another run is working on it. A replay of its event begins a new run. */
  async fail({ exportId, attempt }: ExportRun): Promise<void> {
    await this.exports.update({ id: exportId, attempt, status: 'running' }, { status: 'failed' });
  }

  /** In steps: all at once, a large file would exceed the statement timeout, at every attempt. */
  private async dropEarlier({ exportId, attempt }: ExportRun): Promise<void> {
    let dropped: number;
    do {
      dropped = await this.database.execute({
        text: `DELETE FROM export_chunks WHERE ctid = ANY (ARRAY(
                 SELECT ctid FROM export_chunks WHERE export_id = $1 AND attempt < $2 LIMIT $3))`,
        values: [exportId, attempt, CHUNKS_PER_STEP],
      });
    } while (dropped > 0);
  }

  private async change(run: ExportRun, changes: QueryDeepPartialEntity<Export>): Promise<void> {
    const { affected } = await this.exports.update(
      { id: run.exportId, attempt: run.attempt, status: 'running' },
      { ...changes, progressedAt: () => 'now()' },
    );
    if (affected === 0) throw new SupersededError(run);
  }
}

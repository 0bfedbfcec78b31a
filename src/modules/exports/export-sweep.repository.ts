import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/index.js';

/** Chunks that are removed at once: about 6 MB (64 KiB each; docs/decisions/0007). */
export const CHUNKS_PER_STEP = 100;
const EXPORTS_PER_STEP = 1000;

/** PostgreSQL's clock decides what is old: a worker whose own clock is ahead must not delete files that people still download. */
@Injectable()
export class ExportSweepRepository {
  constructor(private readonly database: Database) {}

  /**
   * Removes some chunks that cannot be downloaded: of exports that are too old, and of unfinished runs that are not the current
   * one.
   * @returns how many; 0 when there are none left
   */
  removeChunks(days: number): Promise<number> {
    return this.database.execute({
      text: `
        DELETE FROM export_chunks AS chunk USING (
          SELECT c.export_id, c.attempt, c.seq
          FROM exports e JOIN export_chunks c ON c.export_id = e.id
          WHERE (e.progressed_at < now() - make_interval(days => $1) AND e.status = 'completed') OR e.status = 'failed' OR c.attempt < e.attempt
          LIMIT $2
        ) AS useless
        WHERE chunk.export_id = useless.export_id AND chunk.attempt = useless.attempt AND chunk.seq = useless.seq`,
      values: [days, CHUNKS_PER_STEP],
    });
  }

  /**
   * Declares stuck exports failed: runs that have written nothing in all that time, and exports that have waited that long while
   * later ones began, because their event is a dead letter. They must not count as unfinished work. Their age alone proves
   * nothing: a large one takes long. If its event comes after all, the run begins.
   */
  async giveUp(days: number): Promise<void> {
    await this.database.execute({
      text: `UPDATE exports SET status = 'failed'
             WHERE status IN ('queued', 'running') AND progressed_at < now() - make_interval(days => $1)
               AND (status = 'running' OR EXISTS (
                 SELECT 1 FROM exports AS later WHERE later.created_at > exports.created_at AND later.attempt > 0))`,
      values: [days],
    });
  }

  /** Removes some exports that are too old, counted from their last progress. @returns how many; 0 when there are none left */
  remove(days: number): Promise<number> {
    return this.database.execute({
      text: `DELETE FROM exports WHERE ctid = ANY (ARRAY(
               SELECT ctid FROM exports
               WHERE progressed_at < now() - make_interval(days => $1) AND status IN ('completed', 'failed') LIMIT $2))`,
      values: [days, EXPORTS_PER_STEP],
    });
  }
}

import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/index.js';
import type { ExportStatus } from './export.entity.js';

export interface ExportRange {
  from: Date | null;
  to: Date | null;
}

export interface NewExport extends ExportRange {
  id: string;
  userId: string;
  type: string;
  allUsers: boolean;
}

export interface ExportRow {
  id: string;
  type: string;
  status: ExportStatus;
  rowsWritten: number;
  rowsTotal: number;
  createdAt: Date;
  completedAt: Date | null;
  attempt: number;
  chunkCount: number;
}

const COLUMNS = `id, type, status, rows_written AS "rowsWritten", rows_total AS "rowsTotal", created_at AS "createdAt",
  completed_at AS "completedAt", attempt, chunk_count AS "chunkCount"`;

/** The api's reads and writes: requests for exports, and finished files. */
@Injectable()
export class ExportsRepository {
  constructor(private readonly database: Database) {}

  async insert({ id, userId, type, allUsers, from, to }: NewExport): Promise<ExportRow> {
    const [row] = await this.database.query<ExportRow>({
      text: `
        INSERT INTO exports (id, user_id, type, all_users, range_from, range_to, status)
        VALUES ($1, $2, $3, $4, $5, $6, 'queued')
        RETURNING ${COLUMNS}`,
      values: [id, userId, type, allUsers, from, to],
    });
    return row as ExportRow;
  }

  async find(id: string, userId: string): Promise<ExportRow | undefined> {
    return this.database.queryOne<ExportRow>({
      name: 'exports-find',
      text: `SELECT ${COLUMNS} FROM exports WHERE id = $1 AND user_id = $2`,
      values: [id, userId],
    });
  }

  async countUnfinished(): Promise<number> {
    const [row] = await this.database.query<{ count: number }>({
      name: 'exports-count-unfinished',
      text: `SELECT count(*) AS count FROM exports WHERE status IN ('queued', 'running')`,
    });
    return row?.count ?? 0;
  }

  /**
   * How many exports a user has. Other requests of the same user wait until the end of the unit of work: otherwise many at once
   * would all see the count before the first of them.
   */
  async countOf(userId: string): Promise<{ unfinished: number; kept: number }> {
    await this.database.execute({
      name: 'exports-lock-user',
      text: `SELECT pg_advisory_xact_lock(hashtextextended('exports:' || $1, 0))`,
      values: [userId],
    });
    const row = await this.database.queryOne<{ unfinished: number; kept: number }>({
      name: 'exports-count-of-user',
      text: `SELECT count(*) FILTER (WHERE status IN ('queued', 'running')) AS unfinished, count(*) AS kept
        FROM exports WHERE user_id = $1::uuid`,
      values: [userId],
    });
    return row ?? { unfinished: 0, kept: 0 };
  }

  async chunk(exportId: string, attempt: number, seq: number): Promise<Buffer | undefined> {
    const row = await this.database.queryOne<{ data: Buffer }>({
      name: 'exports-chunk',
      text: 'SELECT data FROM export_chunks WHERE export_id = $1 AND attempt = $2 AND seq = $3',
      values: [exportId, attempt, seq],
    });
    return row?.data;
  }
}

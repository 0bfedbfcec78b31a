import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { TransientError } from '../../platform/errors/index.js';
import { ExportRunsRepository, type ExportRun } from './export-runs.repository.js';
import { GzipWriter } from './gzip-writer.js';
import { OrderExport } from './order-export.js';
import { Pace } from './pace.js';

/** Compressed bytes per row: enough to be worth one, and less than a millisecond of work for PostgreSQL. */
const BYTES_PER_CHUNK = 64 * 1024;
/** Milliseconds after which a smaller chunk is written, so that the progress moves on a slow database too. */
const WRITE_AFTER_MS = 500;

/**
 * Writes the file of an export. Memory is bounded by one batch of rows and one chunk: each step waits for the one after it,
 * down to the insert.
 *
 * It works at an even pace of `EXPORT_ROWS_PER_SECOND`. At full speed it takes more than a core (of the worker, of PostgreSQL),
 * and other processes on the machine wait for it, while a file that is made in the background is not urgent.
 */
@Injectable()
export class ExportWriter {
  constructor(
    private readonly runs: ExportRunsRepository,
    private readonly orders: OrderExport,
    @Inject(Settings) private readonly settings: Settings,
  ) {}

  /**
   * Writes the whole file, from the beginning.
   * @param signal aborted when this process is about to end; the run stops at the next batch
   * @returns the number of chunks
   * @throws SupersededError when another run has taken over; TransientError when interrupted or the database is down
   */
  async write(run: ExportRun, signal: AbortSignal): Promise<number> {
    const gzip = new GzipWriter();
    try {
      return await this.writeWith(gzip, run, signal);
    } finally {
      gzip.close();
    }
  }

  private async writeWith(gzip: GzipWriter, run: ExportRun, signal: AbortSignal): Promise<number> {
    const pace = new Pace(this.settings.exports.rowsPerSecond);
    let chunks = 0;
    let rows = 0;
    let pending: Uint8Array[] = [];
    let pendingBytes = 0;
    let writtenAt = performance.now();
    const add = (data: Uint8Array) => {
      pending.push(data);
      pendingBytes += data.length;
    };
    const writeChunk = async () => {
      await this.runs.append(run, chunks, Buffer.concat(pending, pendingBytes), rows);
      chunks += 1;
      pending = [];
      pendingBytes = 0;
      writtenAt = performance.now();
    };

    await this.runs.recordTotal(run, await this.orders.count(run));
    add(await gzip.piece(this.orders.heading));
    for await (const batch of this.orders.lines(run)) {
      if (signal.aborted) throw interrupted();
      add(await gzip.piece(batch.text));
      rows += batch.rows;
      const due = pendingBytes >= BYTES_PER_CHUNK || performance.now() - writtenAt >= WRITE_AFTER_MS;
      if (due) await writeChunk();
      const waitMs = pace.waitAfter(batch.rows, performance.now());
      // Timers are not shorter than this; the remainder is waited for with the next batch.
      if (waitMs >= 1) await delay(waitMs);
    }
    add(await gzip.end());
    await writeChunk();
    return chunks;
  }
}

function interrupted(): TransientError {
  return new TransientError({
    /**
     * The worker is shutting down; another one makes the export from the beginning. Only in logs, never an
     * answer.
     */
    code: 'export-interrupted',
    detail: 'This process is shutting down; another one makes the export from the beginning.',
  });
}

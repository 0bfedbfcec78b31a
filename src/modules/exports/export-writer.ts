import { Injectable } from '@nestjs/common';
import { TransientError } from '../../platform/errors/index.js';
import { ExportRunsRepository, type ExportRun } from './export-runs.repository.js';
import { GzipWriter } from './gzip-writer.js';
import { OrderExport } from './order-export.js';

/** Characters of text that become one chunk: about 256 KiB when compressed. */
const CHARACTERS_PER_CHUNK = 768 * 1024;

/**
 * Writes the file of an export. Memory is bounded by one fetch of rows and one chunk of text: each step waits for the one
 * after it, down to the insert.
 */
@Injectable()
export class ExportWriter {
  constructor(
    private readonly runs: ExportRunsRepository,
    private readonly orders: OrderExport,
  ) {}

  /**
   * Writes the whole file, from the beginning.
   * @param signal aborted when this process is about to end; the run stops at the next batch
   * @returns the number of chunks
   * @throws SupersededError when another run has taken over; TransientError when interrupted or the database is away
   */
  async write(run: ExportRun, signal: AbortSignal): Promise<number> {
    const gzip = new GzipWriter();
    let chunks = 0;
    let rows = 0;
    let text = this.orders.heading;
    const writeChunk = async (last: boolean) => {
      const data = await gzip.piece(text, last);
      await this.runs.append(run, chunks, data, rows);
      chunks += 1;
      text = '';
    };

    await this.runs.announceTotal(run, await this.orders.count(run));
    for await (const lines of this.orders.lines(run)) {
      if (signal.aborted) throw interrupted();
      text += lines.text;
      rows += lines.rows;
      if (text.length >= CHARACTERS_PER_CHUNK) await writeChunk(false);
    }
    await writeChunk(true);
    return chunks;
  }
}

function interrupted(): TransientError {
  return new TransientError({
    code: 'export-interrupted',
    detail: 'This process is shutting down; another one makes the export from the beginning.',
  });
}

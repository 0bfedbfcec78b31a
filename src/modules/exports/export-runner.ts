import { Injectable, Logger } from '@nestjs/common';
import { CpuPool } from '../../platform/cpu/index.js';
import { TransientError } from '../../platform/errors/index.js';
import { ExportRunsRepository, type ExportRun } from './export-runs.repository.js';
import { GzipWriter } from './gzip-writer.js';
import { OrderExport } from './order-export.js';

/** Characters of text that become one chunk: about 256 KiB when compressed. */
const CHARACTERS_PER_CHUNK = 768 * 1024;

/** A run that has been overtaken by another one: it has nothing more to do, and nothing went wrong. */
export class SupersededError extends Error {
  constructor({ exportId, attempt }: ExportRun) {
    super(`Run ${attempt} of export ${exportId} was overtaken by another one`);
    this.name = 'SupersededError';
  }
}

/**
 * Makes the file of an export. Memory is bounded by one fetch of rows and one chunk of text: each step waits for the one
 * after it, down to the insert.
 */
@Injectable()
export class ExportRunner {
  private readonly logger = new Logger(ExportRunner.name);

  constructor(
    private readonly runs: ExportRunsRepository,
    private readonly orders: OrderExport,
    private readonly cpu: CpuPool,
  ) {}

  /**
   * Writes the whole file, from the beginning: what an earlier run has left is dropped.
   * @param signal aborted when this process is about to end; the run stops at the next batch
   * @returns what declares the file complete, to be called in the transaction that records the event as handled;
   *   undefined when there is nothing to do, because the file is complete or the export gone
   * @throws SupersededError when another run has taken over; TransientError when interrupted or the database is away
   */
  async run(exportId: string, signal: AbortSignal): Promise<(() => Promise<void>) | undefined> {
    const run = await this.runs.begin(exportId);
    if (!run) return undefined;
    try {
      const chunks = await this.write(run, signal);
      return async () => {
        if (!(await this.runs.complete(run, chunks))) throw new SupersededError(run);
      };
    } catch (error) {
      if (error instanceof SupersededError) this.logger.warn(error.message);
      else if (!(error instanceof TransientError)) await this.runs.fail(run);
      throw error;
    }
  }

  /** @returns the number of chunks. */
  private async write(run: ExportRun, signal: AbortSignal): Promise<number> {
    const gzip = new GzipWriter(this.cpu);
    let chunks = 0;
    let rows = 0;
    let text = this.orders.heading;
    const writeChunk = async (last: boolean) => {
      const data = await gzip.piece(text, last);
      if (!(await this.runs.append(run, chunks, data, rows))) throw new SupersededError(run);
      chunks += 1;
      text = '';
    };

    if (!(await this.runs.announceTotal(run, await this.orders.count(run)))) throw new SupersededError(run);
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

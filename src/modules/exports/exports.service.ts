import { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { Settings } from '../../config/index.js';
import { newId, RequestContext, type Caller } from '../../platform/context/index.js';
import { UnitOfWork } from '../../platform/database/index.js';
import { BusinessRuleError, ClientError, TransientError } from '../../platform/errors/index.js';
import { Outbox } from '../../platform/messaging/index.js';
import type { CreateExportDto } from './dto/create-export.dto.js';
import type { ExportDto } from './dto/export.dto.js';
import { ExportChunk } from './export-chunk.entity.js';
import { Export, type ExportStatus } from './export.entity.js';
import { exportRequested } from './exports.events.js';

/** The `Retry-After` when too many exports are unfinished: about the time of a large one. */
const BACKLOG_RETRY_AFTER_SECONDS = 30;
/** Old exports are swept every hour. */
const KEPT_RETRY_AFTER_SECONDS = 3600;
const UNFINISHED = In<ExportStatus>(['queued', 'running']);

/** A finished file, to be sent as it is read. */
export interface ExportFile {
  name: string;
  /** The gzip file, read from the database piece by piece as fast as the client reads. */
  gzip: Readable;
}

@Injectable()
export class ExportsService {
  private readonly limits: Settings['exports'];

  constructor(
    @InjectRepository(Export) private readonly exports: Repository<Export>,
    @InjectRepository(ExportChunk) private readonly chunks: Repository<ExportChunk>,
    private readonly unitOfWork: UnitOfWork,
    private readonly outbox: Outbox,
    @Inject(Settings) settings: Settings,
  ) {
    this.limits = settings.exports;
  }

  /**
   * Accepts a request for an export; a worker makes the file.
   * @throws ClientError 422 when the range is empty, 429 when the caller has too many; TransientError `backlog-full` when too many are unfinished.
   */
  async request({ userId, role }: Caller, { type, ...range }: CreateExportDto): Promise<ExportDto> {
    const asked = { type, ...rangeOf(range) };
    return this.unitOfWork.run(async () => {
      // Other requests of the same user wait until the end of this unit of work: otherwise many at once would all see the count
      // before the first of them.
      await this.exports.query(`SELECT pg_advisory_xact_lock(hashtextextended('exports:' || $1, 0))`, [
        userId,
      ]);
      if ((await this.exports.countBy({ userId, status: UNFINISHED })) >= this.limits.maxQueuedPerUser) {
        throw tooMany(
          'You have too many unfinished exports. Wait until one is finished.',
          BACKLOG_RETRY_AFTER_SECONDS,
        );
      }
      if ((await this.exports.countBy({ userId })) >= this.limits.maxKeptPerUser) {
        throw tooMany(
          'You have too many exports. Old ones are deleted after some days.',
          KEPT_RETRY_AFTER_SECONDS,
        );
      }
      if ((await this.exports.countBy({ status: UNFINISHED })) >= this.limits.maxQueued) throw backlogFull();
      const row = this.exports.create({
        ...asked,
        id: newId(),
        userId,
        allUsers: role === 'admin',
        status: 'queued',
      });
      await this.exports.insert(row);
      await this.outbox.announce(exportRequested, { exportId: row.id }, { key: row.id });
      return present(row);
    });
  }

  /** @throws ClientError 404 `export-not-found`, also when it belongs to another user. */
  async get(caller: Caller, id: string): Promise<ExportDto> {
    return present(await this.find(caller, id));
  }

  /**
   * Opens the file of an export.
   * @throws ClientError 404 `export-not-found`; BusinessRuleError 409 `export-not-ready`.
   */
  async open(caller: Caller, id: string): Promise<ExportFile> {
    const row = await this.find(caller, id);
    if (row.status !== 'completed') throw notReady(row);
    // Read before the answer begins: while the database is down the answer is 503 and not a broken download.
    const first = await this.chunk(row, 0);
    return {
      name: `${row.type}-${row.createdAt.toISOString().slice(0, 10)}-${row.id.slice(-8)}.csv`,
      gzip: Readable.from(this.piecesOf(row, first), { objectMode: false }),
    };
  }

  /** No connection is held between two pieces, however slowly the client reads and whenever it disconnects. */
  private async *piecesOf(row: Export, first: Buffer): AsyncGenerator<Buffer> {
    yield first;
    for (let seq = 1; seq < row.chunkCount; seq += 1) {
      // A download may exceed a request's deadline; only each piece of it has to be quick.
      yield await RequestContext.shielded(() => this.chunk(row, seq));
    }
  }

  private async chunk({ id: exportId, attempt }: Export, seq: number): Promise<Buffer> {
    const chunk = await this.chunks.findOneBy({ exportId, attempt, seq });
    // Swept during the download: an error aborts the answer, so that the client does not mistake a part for the whole.
    if (!chunk) throw notFound();
    return chunk.data;
  }

  private async find(caller: Caller, id: string): Promise<Export> {
    const row = await this.exports.findOneBy({ id, userId: caller.userId });
    if (!row) throw notFound();
    return row;
  }
}

function rangeOf({ from, to }: { from?: string; to?: string }): Pick<Export, 'from' | 'to'> {
  const range = {
    from: from === undefined ? null : new Date(from),
    to: to === undefined ? null : new Date(to),
  };
  if (range.from && range.to && range.from >= range.to) {
    throw new ClientError({
      status: 422,
      code: 'validation-failed',
      detail: 'The range is empty: `from` must be before `to`.',
      errors: [{ pointer: '/to', code: 'is-after-from', message: 'to must be later than from' }],
    });
  }
  return range;
}

function present({ id, type, status, rowsWritten, rowsTotal, createdAt, completedAt }: Export): ExportDto {
  return {
    id,
    type,
    status,
    progress: { rows: rowsWritten, total: rowsTotal },
    createdAt: createdAt.toISOString(),
    completedAt: completedAt?.toISOString() ?? null,
  };
}

function notFound(): ClientError {
  return new ClientError({
    status: 404,
    /** The caller has no export with this id, or it has expired. */
    code: 'export-not-found',
    detail: 'There is no such export.',
  });
}

function notReady({ status }: Export): BusinessRuleError {
  return new BusinessRuleError({
    status: 409,
    /**
     * The file is not complete, or the export has failed (`exportStatus`). Poll the export until it is
     * completed; after a failure request a new one.
     */
    code: 'export-not-ready',
    detail:
      status === 'failed' ? 'The export has failed; request a new one.' : 'The file is not complete yet.',
    extensions: { exportStatus: status },
  });
}

function tooMany(detail: string, retryAfterSeconds: number): ClientError {
  return new ClientError({
    status: 429,
    code: 'quota-exceeded',
    detail,
    headers: { 'Retry-After': String(retryAfterSeconds) },
  });
}

function backlogFull(): TransientError {
  return new TransientError({
    code: 'backlog-full',
    detail: 'Too many exports are waiting. Retry later.',
    retryAfterSeconds: BACKLOG_RETRY_AFTER_SECONDS,
  });
}

import { Inject, Injectable, Logger } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { Scheduled } from '../../platform/messaging/index.js';
import { ExportSweepRepository } from './export-sweep.repository.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Removes exports that are older than `EXPORT_RETENTION_DAYS`, and what interrupted runs have left behind. */
@Injectable()
export class ExportsSweep {
  private readonly logger = new Logger(ExportsSweep.name);
  private readonly retentionMs: number;

  constructor(
    private readonly exports: ExportSweepRepository,
    @Inject(Settings) settings: Settings,
  ) {
    this.retentionMs = settings.exports.retentionDays * DAY_MS;
  }

  @Scheduled({ name: 'sweep-exports', every: HOUR_MS })
  async sweep(): Promise<void> {
    const before = new Date(Date.now() - this.retentionMs);
    await this.exports.giveUp(new Date(Date.now() - DAY_MS));
    // In small steps, so that none runs into the statement timeout: a large export is hundreds of megabytes.
    while ((await this.exports.removeChunks(before)) > 0);
    const removed = await this.exports.remove(before);
    if (removed > 0) this.logger.log({ removed }, 'Old exports were removed');
  }
}

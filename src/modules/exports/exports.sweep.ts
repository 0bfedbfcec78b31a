import { Inject, Injectable, Logger } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { Scheduled } from '../../platform/messaging/index.js';
import { ExportSweepRepository } from './export-sweep.repository.js';

const HOUR_MS = 3_600_000;
const GIVEN_UP_AFTER_DAYS = 1;

/** Removes exports that are older than `EXPORT_RETENTION_DAYS`, and the chunks of interrupted runs. */
@Injectable()
export class ExportsSweep {
  private readonly logger = new Logger(ExportsSweep.name);
  private readonly retentionDays: number;

  constructor(
    private readonly exports: ExportSweepRepository,
    @Inject(Settings) settings: Settings,
  ) {
    this.retentionDays = settings.exports.retentionDays;
  }

  @Scheduled({ name: 'sweep-exports', every: HOUR_MS })
  async sweep(): Promise<void> {
    await this.exports.giveUp(GIVEN_UP_AFTER_DAYS);
    // In small steps, so that none exceeds the statement timeout: a large export is hundreds of megabytes.
    while ((await this.exports.removeChunks(this.retentionDays)) > 0);
    const removed = await this.exports.remove(this.retentionDays);
    if (removed > 0) this.logger.log({ removed }, 'Old exports were deleted');
  }
}

import { Logger } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/index.js';
import { TransientError } from '../../platform/errors/index.js';
import {
  EventConsumer,
  EventProcessor,
  Handles,
  type DeliveredEvent,
} from '../../platform/messaging/index.js';
import { ExportRunsRepository, SupersededError, type ExportRun } from './export-runs.repository.js';
import { ExportWriter } from './export-writer.js';
import { exportRequested, type ExportRequested } from './exports.events.js';

/** Makes the requested files. Two at once, so that a small one does not wait for a large one. */
@EventProcessor('exports', { concurrency: 2 })
export class ExportsProcessor extends EventConsumer {
  private readonly logger = new Logger(ExportsProcessor.name);

  constructor(
    private readonly runs: ExportRunsRepository,
    private readonly writer: ExportWriter,
    private readonly unitOfWork: UnitOfWork,
  ) {
    super();
  }

  @Handles(exportRequested)
  async onExportRequested(event: DeliveredEvent<ExportRequested>): Promise<void> {
    const run = await this.runs.begin(event.payload.exportId);
    if (!run) {
      await this.inbox.record(event);
      return;
    }
    try {
      const chunks = await this.writer.write(run, event.signal);
      await this.unitOfWork.run(async () => {
        await this.runs.complete(run, chunks);
        await this.inbox.record(event);
      });
    } catch (error) {
      await this.afterFailure(event, run, error);
    }
  }

  /** The owner sees the failure when there is no further retry; an interrupted run is no failure. */
  private async afterFailure(event: DeliveredEvent, run: ExportRun, error: unknown): Promise<void> {
    if (error instanceof SupersededError) {
      // The other run finishes the export, and records the event.
      this.logger.warn(error.message);
      return;
    }
    const triedAgain =
      event.signal.aborted || (error instanceof TransientError && event.attempt < event.attempts);
    if (!triedAgain) await this.runs.fail(run);
    throw error;
  }
}

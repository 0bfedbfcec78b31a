import { UnitOfWork } from '../../platform/database/index.js';
import { EventConsumer, EventProcessor, Handles, type DeliveredEvent } from '../../platform/messaging/index.js';
import { ExportRunner, SupersededError } from './export-runner.js';
import { exportRequested, type ExportRequested } from './exports.events.js';

/** Makes the files that were asked for. */
@EventProcessor('exports')
export class ExportsProcessor extends EventConsumer {
  constructor(
    private readonly runner: ExportRunner,
    private readonly unitOfWork: UnitOfWork,
  ) {
    super();
  }

  @Handles(exportRequested)
  async onExportRequested(event: DeliveredEvent<ExportRequested>): Promise<void> {
    try {
      const complete = await this.runner.run(event.payload.exportId, event.signal);
      await this.unitOfWork.run(async () => {
        await this.inbox.record(event);
        await complete?.();
      });
    } catch (error) {
      // The run that has overtaken this one finishes the job, and records it.
      if (!(error instanceof SupersededError)) throw error;
    }
  }
}

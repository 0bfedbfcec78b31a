import type { Settings } from '../../src/config/index.js';
import { WorkerJobs } from '../../src/platform/messaging/consuming/worker-jobs.js';
import { MessagingRuntime } from '../../src/platform/messaging/index.js';
import { createWorker } from '../../src/worker.app.js';

export interface Background {
  /** Ends it as a signal would: what runs may end. */
  stop(): Promise<void>;
  /** Ends it as a signal does when time is up: what runs is told to stop and goes back. */
  interrupt(): Promise<void>;
}

/** The background half of the product, in this process. */
export async function startBackground(settings: Settings): Promise<Background> {
  const worker = await createWorker(settings);
  const messaging = worker.get(MessagingRuntime);
  messaging.start();
  const end = async () => {
    await messaging.drain(5000);
    await messaging.close();
    await worker.close();
  };
  let ended: Promise<void> | undefined;
  return {
    stop: () => (ended ??= end()),
    interrupt: () => {
      messaging.stopTaking();
      worker.get(WorkerJobs).abort();
      return (ended ??= end());
    },
  };
}

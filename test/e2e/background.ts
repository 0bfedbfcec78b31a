import type { Settings } from '../../src/config/index.js';
import { MessagingRuntime } from '../../src/platform/messaging/index.js';
import { createWorker } from '../../src/worker-app.js';

export interface Background {
  /** Ends it as a signal would. @param drainMs how long jobs under way may take */
  stop(drainMs?: number): Promise<void>;
}

/** The background half of the product, in this process. */
export async function startBackground(settings: Settings): Promise<Background> {
  const worker = await createWorker(settings);
  const messaging = worker.get(MessagingRuntime);
  messaging.start();
  let stopped: Promise<void> | undefined;
  const end = async (drainMs: number) => {
    await messaging.drain(drainMs);
    await messaging.close();
    await worker.close();
  };
  return { stop: (drainMs = 5000) => (stopped ??= end(drainMs)) };
}

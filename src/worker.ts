import { runProcess } from './platform/lifecycle/index.js';
import { MessagingRuntime } from './platform/messaging/index.js';
import { createWorker } from './worker-app.js';

await runProcess('worker', async ({ settings, health, log, faults }) => {
  const app = await createWorker(settings, log, health, faults);
  const messaging = app.get(MessagingRuntime);
  messaging.start();
  return {
    drains: false,
    stopTaking: () => messaging.stopTaking(),
    finish: (timeoutMs) => messaging.drain(timeoutMs),
    close: async () => {
      await messaging.close();
      await app.close();
    },
  };
});

import './platform/lifecycle/early-signals.js';

const { keepCompiled } = await import('./platform/lifecycle/compile-cache.js');
await import('./platform/lifecycle/small-heap.js');
const { PRODUCT } = await import('./product.js');
const { settingsOrExit } = await import('./platform/lifecycle/settings.js');
const { startTracing } = await import('./platform/observability/tracing/tracing.js');

const settings = settingsOrExit(PRODUCT);
// What shall be traced is patched as it is loaded: everything else comes after this.
await startTracing('worker', settings);
const { createWorker } = await import('./worker.app.js');
const { MessagingRuntime } = await import('./platform/messaging/index.js');
const { runProcess } = await import('./platform/lifecycle/index.js');

await runProcess('worker', settings, async ({ health, log, faults }) => {
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
keepCompiled();

import './platform/lifecycle/early-signals.js';

const { keepCompiled } = await import('./platform/lifecycle/compile-cache.js');
const { PRODUCT } = await import('./product.js');
const { settingsOrExit } = await import('./platform/lifecycle/settings.js');
const { startTracing } = await import('./platform/observability/tracing/tracing.js');

const settings = settingsOrExit(PRODUCT);
// What shall be traced is patched as it is loaded: everything else comes after this.
await startTracing('api', settings);
const { createApi } = await import('./api.app.js');
const { httpService, runProcess } = await import('./platform/lifecycle/index.js');

await runProcess('api', settings, async ({ health, log, faults }) => {
  const app = await createApi(settings, log, health, faults);
  await app.listen(settings.http.port, settings.http.host);
  return httpService(app);
});
keepCompiled();

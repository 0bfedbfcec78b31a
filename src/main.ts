import { createApi } from './api.js';
import { httpService } from './platform/lifecycle/http-service.js';
import { runProcess } from './platform/lifecycle/index.js';

await runProcess('api', async ({ settings, health, log, faults }) => {
  const app = await createApi(settings, log, health, faults);
  await app.listen(settings.http.port, settings.http.host);
  return httpService(app);
});

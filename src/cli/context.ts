import type { INestApplicationContext } from '@nestjs/common';
import type { Settings } from '../config/index.js';
import { createProcessLog } from '../platform/observability/index.js';
import { createContext } from '../context.js';

/** Runs `work` with the services of the product, without serving or processing anything. */
export async function withContext<T>(
  settings: Settings,
  work: (context: INestApplicationContext) => Promise<T>,
): Promise<T> {
  const log = createProcessLog(settings, 'cli');
  // What a command has to say it prints; the log is for what goes wrong.
  log.logger.level = 'warn';
  const context = await createContext(settings, log);
  try {
    return await work(context);
  } finally {
    await context.close();
    log.flush();
  }
}

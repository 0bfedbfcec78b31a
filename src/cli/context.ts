import type { INestApplicationContext } from '@nestjs/common';
import type { Settings } from '../config/index.js';
import { createProcessLog } from '../platform/observability/index.js';
import { createContext } from '../context.js';

/** Runs `work` with the services of the product, without serving or processing anything. */
export async function withContext<T>(
  settings: Settings,
  work: (context: INestApplicationContext) => Promise<T>,
): Promise<T> {
  // Standard output is the command's answer, for the next program in a pipe; the log is for what goes wrong.
  const log = createProcessLog(settings, 'cli', process.stderr);
  log.logger.level = 'warn';
  const context = await createContext(settings, log);
  try {
    return await work(context);
  } finally {
    await context.close();
  }
}

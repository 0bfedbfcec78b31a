import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ApiModule } from '../api.module.js';
import type { Settings } from '../config/index.js';
import { HealthRegistry } from '../platform/health/index.js';
import { createProcessLog, nestLogger } from '../platform/observability/index.js';

/** Runs `work` with the services of the product, without serving or processing anything. */
export async function withApplication<T>(
  settings: Settings,
  work: (app: INestApplicationContext) => Promise<T>,
): Promise<T> {
  // Standard output is the command's answer, for the next program in a pipe; the log is for what goes wrong.
  const { logger } = createProcessLog(settings, 'cli', process.stderr);
  logger.level = 'warn';
  const app = await NestFactory.createApplicationContext(
    ApiModule.forRoot(settings, logger, new HealthRegistry()),
    { logger: nestLogger(logger), abortOnError: false },
  );
  try {
    return await work(app);
  } finally {
    await app.close();
  }
}

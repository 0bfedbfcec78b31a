import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Settings } from './config/index.js';
import { HealthRegistry } from './platform/health/index.js';
import { createProcessLog, nestLogger, type ProcessLog } from './platform/observability/index.js';
import { WorkerModule } from './worker.module.js';

/**
 * The background half of the product: nothing runs until its `MessagingRuntime` is started. In tests it is made without a
 * process around it.
 * @param health where its dependencies report for readiness
 */
export async function createWorker(
  settings: Settings,
  log: ProcessLog = createProcessLog(settings, 'worker'),
  health: HealthRegistry = new HealthRegistry(),
): Promise<INestApplicationContext> {
  const module = WorkerModule.forRoot(settings, log.logger, health);
  const app = await NestFactory.createApplicationContext(module, { logger: nestLogger(log.logger), abortOnError: false });
  return app;
}

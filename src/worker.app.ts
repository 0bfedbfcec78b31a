import type { INestApplicationContext, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Settings } from './config/index.js';
import { LANGUAGES } from './languages/index.js';
import { speak } from './platform/languages/index.js';
import { HealthRegistry } from './platform/health/index.js';
import { createProcessLog, nestLogger, type ProcessLog } from './platform/observability/index.js';
import type { FaultInjector } from './platform/resilience/index.js';
import { WorkerModule } from './worker.module.js';

/**
 * The background half of the product: nothing runs until its `MessagingRuntime` is started. In tests it is made without a
 * process around it.
 * @param health where its dependencies report for readiness
 * @param faults what may be switched on to fail, outside production
 * @param features what takes the place of the product; tests of the platform have a feature of their own
 */
export function createWorker(
  settings: Settings,
  log: ProcessLog = createProcessLog(settings, 'worker'),
  health: HealthRegistry = new HealthRegistry(),
  faults?: FaultInjector,
  features?: Type[],
): Promise<INestApplicationContext> {
  speak(LANGUAGES);
  const module = WorkerModule.forRoot(settings, log.logger, health, faults, features);
  return NestFactory.createApplicationContext(module, {
    logger: nestLogger(log.logger),
    abortOnError: false,
  });
}

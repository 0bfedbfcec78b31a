import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ApiModule } from './api.module.js';
import type { Settings } from './config/index.js';
import { HealthRegistry } from './platform/health/index.js';
import { nestLogger, type ProcessLog } from './platform/observability/index.js';

/** The services of the product without a server: what commands work with. `close` it. */
export async function createContext(settings: Settings, log: ProcessLog): Promise<INestApplicationContext> {
  const module = ApiModule.forRoot(settings, log.logger, new HealthRegistry());
  const context = await NestFactory.createApplicationContext(module, {
    logger: nestLogger(log.logger),
    abortOnError: false,
  });
  return context;
}

import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { HttpSettings } from '../../config/sections/http.settings.js';
import type { HealthRegistry } from './health.registry.js';
import { ManagementModule } from './management.module.js';

/** Starts the management application of a process; `close` it last. */
export async function startManagement(health: HealthRegistry, settings: HttpSettings): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({ logger: false, skipMiddie: true, forceCloseConnections: true });
  const app = await NestFactory.create<NestFastifyApplication>(ManagementModule.forRoot(health), adapter, { logger: ['error'] });
  await app.listen(settings.managementPort, settings.managementHost);
  return app;
}

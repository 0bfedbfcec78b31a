import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Settings } from '../../config/index.js';
import type { FaultInjector } from '../resilience/index.js';
import type { HealthRegistry } from './health.registry.js';
import { ManagementModule } from './management.module.js';

/** Starts the management application of a process; `close` it last. */
export async function startManagement(
  health: HealthRegistry,
  { http, faults: { token } }: Settings,
  faults?: FaultInjector,
): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({ logger: false, skipMiddie: true, forceCloseConnections: true });
  const app = await NestFactory.create<NestFastifyApplication>(
    ManagementModule.forRoot(health, faults && token !== undefined ? { faults, token } : undefined),
    adapter,
    { logger: ['error'] },
  );
  await app.listen(http.managementPort, http.managementHost);
  return app;
}

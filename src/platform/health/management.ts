import type { ArgumentsHost, HttpServer } from '@nestjs/common';
import { BaseExceptionFilter, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Settings } from '../../config/index.js';
import type { FaultInjector } from '../resilience/index.js';
import type { HealthRegistry } from './health.registry.js';
import { ManagementModule } from './management.module.js';

/**
 * Of the routes that rehearse faults. With more, a body could be as deep as it takes to end the process (json-body.ts), whether there is
 * a route for it or not.
 */
const BODY_LIMIT_BYTES = 4096;

/** A request that has not arrived whole by then is answered 408. */
const ARRIVAL_TIMEOUT_MS = 5_000;

/**
 * Answers as Nest does, but logs no errors of clients: Nest logs what is no exception of its own with its stack, and 300 requests that
 * broke off were 300 of them.
 */
class ManagementErrors extends BaseExceptionFilter {
  override handleUnknownError(
    error: Error & { statusCode?: number },
    host: ArgumentsHost,
    server: HttpServer,
  ): void {
    const { statusCode = 500, message } = error;
    if (statusCode >= 500) super.handleUnknownError(error, host, server);
    else server.reply(host.getArgByIndex(1), { statusCode, message }, statusCode);
  }
}

/** Starts the management application of a process; `close` it last. */
export async function startManagement(
  health: HealthRegistry,
  { http, faults: { token } }: Settings,
  faults?: FaultInjector,
): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    logger: false,
    skipMiddie: true,
    forceCloseConnections: true,
    bodyLimit: BODY_LIMIT_BYTES,
    // Nobody needs more, and 3,000 pipelined requests for metrics held the probe of liveness up for 7 s.
    maxRequestsPerSocket: 1,
    // Half a request keeps no connection. Node looks for them every 30 s only, if it is not told otherwise.
    requestTimeout: ARRIVAL_TIMEOUT_MS,
    http: { headersTimeout: ARRIVAL_TIMEOUT_MS, connectionsCheckingInterval: 1_000 },
  });
  const app = await NestFactory.create<NestFastifyApplication>(
    ManagementModule.forRoot(health, faults && token !== undefined ? { faults, token } : undefined),
    adapter,
    { logger: ['error'] },
  );
  app.useGlobalFilters(new ManagementErrors(adapter));
  await app.listen(http.managementPort, http.managementHost);
  return app;
}

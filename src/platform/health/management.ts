import type { ArgumentsHost, HttpServer } from '@nestjs/common';
import { BaseExceptionFilter, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Settings } from '../../config/index.js';
import type { FaultInjector } from '../resilience/index.js';
import type { HealthRegistry } from './health.registry.js';
import { ManagementModule } from './management.module.js';

/**
 * For the routes that rehearse faults. A larger body could be nested deeply enough to end the process (json-body.ts), even if no
 * route takes it.
 */
const BODY_LIMIT_BYTES = 4096;

/** A request that has not arrived completely by then is answered 408. */
const ARRIVAL_TIMEOUT_MS = 5_000;

/**
 * Answers as Nest does, but logs no errors of clients: Nest logs every exception that is not its own with the stack, and 300
 * aborted requests were 300 of them.
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
    // No client needs more, and 3,000 pipelined requests for metrics delayed the liveness probe by 7 s.
    maxRequestsPerSocket: 1,
    // An incomplete request must not keep a connection. By default Node checks only every 30 s.
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

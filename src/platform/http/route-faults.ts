import type { FastifyInstance } from 'fastify';
import type { FaultInjector } from '../resilience/index.js';

/** Lets faults hit routes of the public port (`route:GET /v1/orders/:id`); mounted only where faults are enabled. */
export function strikeRoutes(fastify: FastifyInstance, faults: FaultInjector): void {
  fastify.addHook('onRequest', async (request) => {
    await faults.strike(
      `route:${request.method} ${request.routeOptions.url ?? ''}`,
      request.context.remainingMs,
    );
  });
}

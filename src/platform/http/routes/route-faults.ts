import type { FastifyInstance } from 'fastify';
import { TransientError } from '../../errors/index.js';
import type { FaultInjector } from '../../resilience/index.js';

/** Injects faults into routes of the public port (`route:GET /v1/things/:id`); mounted only where faults are enabled. */
export function injectRouteFaults(fastify: FastifyInstance, faults: FaultInjector): void {
  fastify.addHook('onRequest', async (request) => {
    const target = `route:${request.method} ${request.routeOptions.url ?? ''}`;
    const error = (): TransientError =>
      new TransientError({
        /** A fault is switched on for this route, to rehearse an outage. Never in production. */
        code: 'fault-injected',
        detail: `A fault is injected into ${target}.`,
      });
    await faults.inject(target, {
      withinMs: request.context.remainingMs,
      refused: error,
      unanswered: error,
    });
  });
}

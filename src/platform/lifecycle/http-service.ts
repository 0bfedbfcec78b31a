import { setImmediate as afterInput } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { within } from '../runtime/index.js';
import type { Service } from './process.js';

/** The public HTTP application as a `Service`. */
export function httpService(app: NestFastifyApplication): Service {
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  const { server, connections } = fastify;
  return {
    drains: true,
    stopTaking: () => connections.drain(),
    finish: async (timeoutMs) => {
      // `close` ends idle connections, and the drain ends in a timer, which comes before input in a turn of the event loop: a request
      // that had arrived on a busy machine, and was not read yet, was cut off.
      await afterInput();
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      await within(timeoutMs, closed).catch(() => server.closeAllConnections());
    },
    close: () => app.close(),
  };
}

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
    finish: (timeoutMs) => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      return within(timeoutMs, closed).catch(() => server.closeAllConnections());
    },
    close: () => app.close(),
  };
}

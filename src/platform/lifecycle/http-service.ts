import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Service } from './process.js';

/** The public HTTP application as a `Service`. */
export function httpService(app: NestFastifyApplication): Service {
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  const { server, connections } = fastify;
  return {
    drains: true,
    stopTaking: () => connections.drain(),
    finish: (timeoutMs) =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          server.closeAllConnections();
          resolve();
        }, timeoutMs);
        server.close(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
    close: () => app.close(),
  };
}

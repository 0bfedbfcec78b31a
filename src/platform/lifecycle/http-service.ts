import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Service } from './process.js';

/**
 * The public HTTP application as a `Service`. From the signal on every answer carries `Connection: close`, so that by the
 * time the listener closes no client holds an idle connection on which its next request could be cut off.
 */
export function httpService(app: NestFastifyApplication): Service {
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  const { server } = fastify;
  return {
    drains: true,
    stopTaking: () => {
      server.prependListener('request', (_request, response) => {
        response.shouldKeepAlive = false;
      });
    },
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

import type { Server } from 'node:http';
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
      await untilAllIsRead(server);
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      await within(timeoutMs, closed).catch(() => server.closeAllConnections());
    },
    close: () => app.close(),
  };
}

/** Turns of the event loop that read requests, at most: new connections may come until the listener is closed. */
const MOST_TURNS = 20;

/**
 * `close` ends idle connections. The drain ends in a timer, which comes before input in a turn of the event loop: a request that had
 * arrived on a busy machine, and was not read yet, was cut off, and so was one that arrived while the others were read and answered.
 */
async function untilAllIsRead(server: Server): Promise<void> {
  let isReading = true;
  const read = () => (isReading = true);
  server.on('connection', read).on('request', read);
  for (let turn = 0; isReading && turn < MOST_TURNS; turn += 1) {
    isReading = false;
    await afterInput();
  }
  server.off('connection', read).off('request', read);
}

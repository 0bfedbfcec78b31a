import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../../../local/wait-for.js';
import { httpService } from './http-service.js';

const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: here\r\n\r\n`;

/** Long enough for the kernel to deliver what was sent, on a loaded machine too. */
const BUSY_MS = 200;

describe('The end of the HTTP service', () => {
  it('answers a request that has arrived, and is not read yet, on a connection that was idle', async () => {
    const server = createServer((incoming, response) => response.end(`answer to ${incoming.url}`));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const app = { getHttpAdapter: () => ({ getInstance: () => ({ server }) }) };
    const service = httpService(app as unknown as NestFastifyApplication);
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1').setEncoding('utf8');
    let received = '';
    client.on('data', (text: string) => (received += text));
    const ended = once(client, 'close');
    client.write(request('/1'));
    await waitFor(() => received.includes('answer to /1'), { what: 'an idle connection' });

    // As at the end of the drain: timers come before input in a turn of the event loop, here of a busy process.
    await delay(1);
    client.write(request('/2'));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS);
    await service.finish(60_000);

    await ended;
    expect(received).toContain('answer to /2');
  });

  it('answers one that arrives while others are read, too', async () => {
    const server = createServer((incoming, response) => {
      if (incoming.url === '/2') {
        second.write(request('/3'));
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS);
      }
      response.end(`answer to ${incoming.url}`);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const app = { getHttpAdapter: () => ({ getInstance: () => ({ server }) }) };
    const service = httpService(app as unknown as NestFastifyApplication);
    let received = '';
    const open = () => {
      const client = connect((server.address() as AddressInfo).port, '127.0.0.1').setEncoding('utf8');
      client.on('data', (text: string) => (received += text)).write(request('/1'));
      return client;
    };
    const [first, second] = [open(), open()];
    const ended = Promise.all([once(first, 'close'), once(second, 'close')]);
    await waitFor(() => received.split('answer to /1').length === 3, { what: 'two idle connections' });

    await delay(1);
    first.write(request('/2'));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS);
    await service.finish(60_000);

    await ended;
    expect(received).toContain('answer to /2');
    expect(received).toContain('answer to /3');
  });
});

import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSettings } from '../../../src/config/index.js';
import { PRODUCT } from '../../../src/product.js';
import { HealthRegistry } from '../../../src/platform/health/index.js';
import { startManagement } from '../../../src/platform/health/management.js';
import { RawClient } from '../../support/raw-client.js';

let management: NestFastifyApplication;
let url: string;

beforeAll(async () => {
  const settings = loadSettings(
    {
      NODE_ENV: 'test',
      MANAGEMENT_PORT: '0',
      MANAGEMENT_HOST: '127.0.0.1',
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    },
    PRODUCT,
  );
  management = await startManagement(new HealthRegistry(), settings);
  url = `http://127.0.0.1:${(management.getHttpServer().address() as AddressInfo).port}`;
});
afterAll(() => management?.close());

describe('The management port', () => {
  it('answers while 300 clients send half a request, and disconnects them', async () => {
    const half =
      'POST /health/live HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{';
    const clients = await Promise.all(Array.from({ length: 300 }, () => RawClient.open(url)));
    for (const client of clients) client.send(half);

    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    await Promise.all(clients.map((client) => client.ended(40_000)));
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
  });
});

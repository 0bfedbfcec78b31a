import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadSettings } from '../../config/index.js';
import { HealthRegistry } from './health.registry.js';
import { startManagement } from './management.js';

describe('the management port', () => {
  let management: NestFastifyApplication;
  let port: number;

  beforeAll(async () => {
    const settings = loadSettings({ NODE_ENV: 'test', MANAGEMENT_PORT: '0', MANAGEMENT_HOST: '127.0.0.1' });
    management = await startManagement(new HealthRegistry(), settings);
    ({ port } = management.getHttpServer().address() as AddressInfo);
  });
  afterAll(() => management?.close());

  it('does not parse a body that could crash the process', async () => {
    const url = `http://127.0.0.1:${port}`;
    const body = '[0,'.repeat(20_000) + '0]'.repeat(20_000);
    const headers = { 'content-type': 'application/json' };
    for (const path of ['/nothing', '/health/live', '/faults']) {
      const { status } = await fetch(url + path, { method: 'POST', body, headers });
      expect([path, status]).toEqual([path, 413]);
    }
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
  });

  it('logs no errors of its clients, which could fill the log', async () => {
    const logged = vi.spyOn(Logger.prototype, 'error').mockReturnValue();
    const post = async (body: string) => {
      const headers = { 'content-type': 'application/json' };
      return (await fetch(`http://127.0.0.1:${port}/health/live`, { method: 'POST', body, headers })).status;
    };
    expect([await post('{'), await post(`"${'x'.repeat(5000)}"`)]).toEqual([400, 413]);
    const leaves = connect(port, '127.0.0.1');
    const aborted = new Promise((resolve) => {
      management
        .getHttpServer()
        .once('request', (request: IncomingMessage) => request.once('close', resolve));
    });
    leaves.write(
      'POST /health/live HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    );
    await once(management.getHttpServer(), 'request');
    leaves.destroy();
    await aborted;
    await new Promise(setImmediate);
    expect(logged.mock.calls).toEqual([]);
  });

  it('serves one request per connection, so that no pipeline delays probes', async () => {
    const client = connect(port, '127.0.0.1').setEncoding('utf8');
    let answers = '';
    client.on('data', (data: string) => (answers += data));
    client.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(3));
    await vi.waitFor(() => expect(answers.match(/HTTP\/1.1 \d+/g)).toHaveLength(3), { timeout: 20_000 });
    client.destroy();
    expect(answers.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 503', 'HTTP/1.1 503']);
  });
});

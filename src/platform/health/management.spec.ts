import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { loadSettings } from '../../config/index.js';
import { HealthRegistry } from './health.registry.js';
import { startManagement } from './management.js';

it('The management port does not parse a body that could end the process', async () => {
  const settings = loadSettings({ NODE_ENV: 'test', MANAGEMENT_PORT: '0', MANAGEMENT_HOST: '127.0.0.1' });
  const management = await startManagement(new HealthRegistry(), settings);
  try {
    const { port } = management.getHttpServer().address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    const body = '[0,'.repeat(20_000) + '0]'.repeat(20_000);
    const headers = { 'content-type': 'application/json' };
    for (const path of ['/nothing', '/health/live', '/faults']) {
      const { status } = await fetch(url + path, { method: 'POST', body, headers });
      expect([path, status]).toEqual([path, 413]);
    }
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
  } finally {
    await management.close();
  }
});

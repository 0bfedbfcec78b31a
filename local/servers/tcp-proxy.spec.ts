import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { waitFor } from '../wait-for.ts';
import { startTcpProxy } from './tcp-proxy.ts';

it('a proxy delivers in order, also while its delay changes and its timers are late', async () => {
  let received = '';
  const server = createServer((socket) => socket.on('data', (chunk) => (received += String(chunk))));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await startTcpProxy((server.address() as AddressInfo).port);
  const client = connect(proxy.port, '127.0.0.1').setNoDelay(true);
  await once(client, 'connect');
  try {
    let sent = '';
    for (let i = 0; i < 300; i += 1) {
      proxy.delay(i % 3 === 0 ? 5 : 0);
      const line = `${i}\n`;
      sent += line;
      client.write(line);
      await delay(1);
      // Keeps everything waiting, timers that are due as well.
      for (const until = performance.now() + 6; i % 5 === 0 && performance.now() < until;);
    }
    await waitFor(() => received.length === sent.length, { what: 'everything' });
    expect(received).toBe(sent);
  } finally {
    client.destroy();
    await proxy.stop();
    server.close();
  }
});

import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InFlight } from './in-flight.js';
import { LoadShedder } from './load-shedder.js';

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: string;
}

describe('load shedding', () => {
  const held: ServerResponse[] = [];
  let shedder: LoadShedder;
  let server: Server;
  let port: number;

  beforeEach(async () => {
    const inFlight = new InFlight();
    // No pause of a busy machine is a late event loop here.
    shedder = new LoadShedder(inFlight, 10, 60_000);
    const handler = () => undefined;
    shedder.learn({ method: 'GET', url: '/list', handler, config: { priority: 'low' } as never });
    shedder.learn({ method: 'POST', url: '/things', handler });
    shedder.learn({
      method: 'POST',
      url: '/things/:id/deals',
      handler,
      config: { priority: 'critical' } as never,
    });
    const signedOnly = { priority: 'critical', needsHeader: 'webhook-signature' } as never;
    shedder.learn({ method: 'POST', url: '/webhooks', handler, config: signedOnly });
    server = createServer((request, response) => {
      if (!shedder.admit(request, response)) return;
      expect(shedder.start(request, response)).toBeUndefined();
      response.once('close', () => inFlight.delete(response));
      held.push(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });

  afterEach(async () => {
    for (const response of held.splice(0)) response.end();
    shedder.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  function send(method: string, path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({ port, method, path, headers, agent: false }, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
  }

  async function occupy(count: number): Promise<void> {
    const pending = Array.from({ length: count - shedder.state.inFlight }, () =>
      send('POST', '/things/7/deals'),
    );
    for (const answer of pending) answer.catch(() => undefined);
    await vi.waitFor(() => expect(shedder.state.inFlight).toBe(count), { timeout: 20_000 });
  }

  it('rejects the least important first, each with a problem document and Retry-After', async () => {
    await occupy(6);
    const list = await send('GET', '/list?limit=5');
    expect(list).toMatchObject({
      status: 503,
      headers: {
        'retry-after': '1',
        'content-type': expect.stringContaining('application/problem+json') as string,
      },
    });
    expect(JSON.parse(list.body)).toMatchObject({
      code: 'temporary-reduced-capacity',
      instance: '/list',
      requestId: list.headers['x-request-id'],
    });
    await occupy(8);
    expect((await send('POST', '/things')).status).toBe(503);
    expect(shedder.state.shed).toEqual({ low: 1, normal: 1, critical: 0 });
  });

  it('rejects what would wait for the database too long, and serves what needs no database', async () => {
    const handler = () => undefined;
    shedder.learn({ method: 'GET', url: '/cached', handler, config: { cached: true } as never });
    let load = 0.7;
    shedder.watchDatabase(() => load);
    expect((await send('GET', '/list')).status).toBe(503);
    load = 0.9;
    expect((await send('POST', '/things')).status).toBe(503);
    expect(shedder.state.inFlight).toBe(0);
    const served = [send('GET', '/cached'), send('POST', '/things/7/deals')];
    await vi.waitFor(() => expect(shedder.state.inFlight).toBe(2), { timeout: 20_000 });
    for (const response of held.splice(0)) response.end('ok');
    expect((await Promise.all(served)).map(({ status }) => status)).toEqual([200, 200]);
    load = 1;
    expect((await send('POST', '/things/7/deals')).status).toBe(503);
  });

  it('treats what lacks the header that makes it important as least important', async () => {
    await occupy(9);
    expect((await send('POST', '/webhooks')).status).toBe(503);
    const signed = send('POST', '/webhooks', { 'webhook-signature': 'v1,x' });
    signed.catch(() => undefined);
    await vi.waitFor(() => expect(shedder.state.inFlight).toBe(10), { timeout: 20_000 });
    expect(shedder.state.shed).toEqual({ low: 1, normal: 0, critical: 0 });
  });

  it('treats unknown routes as least important', async () => {
    await occupy(6);
    expect((await send('GET', '/nothing-here')).status).toBe(503);
  });

  it('admits requests again when others are done', async () => {
    await occupy(6);
    held.shift()?.end();
    await vi.waitFor(() => expect(shedder.state.inFlight).toBe(5), { timeout: 20_000 });
    const list = send('GET', '/list');
    await vi.waitFor(() => expect(shedder.state.inFlight).toBe(6), { timeout: 20_000 });
    held.pop()?.end('ok');
    expect((await list).status).toBe(200);
  });

  it('admits fewer requests while the event loop is late', async () => {
    const late = new LoadShedder(new InFlight(), 100, 100);
    try {
      await vi.waitFor(
        () => {
          const until = performance.now() + 250;
          while (performance.now() < until) continue;
          expect(late.state.limit).toBeLessThan(100);
        },
        { timeout: 20_000, interval: 1 },
      );
      await vi.waitFor(() => expect(late.state.limit).toBe(100), { timeout: 20_000 });
    } finally {
      late.close();
    }
  }, 60_000);
});

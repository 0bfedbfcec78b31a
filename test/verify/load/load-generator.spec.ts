import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../../local/wait-for.ts';
import { LoadGenerator } from './load-generator.ts';
import type { StreamPlan } from './plan.ts';

let load: LoadGenerator;
let server: Server | undefined;

beforeEach(() => {
  load = new LoadGenerator((error) => {
    throw error;
  });
});

afterEach(async () => {
  await load.close();
  server?.closeAllConnections();
  server?.close();
});

async function serve(listener: RequestListener): Promise<number> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return (started.address() as AddressInfo).port;
}

function plan(port: number, more: Partial<StreamPlan>): StreamPlan {
  const requests = [
    { method: 'POST' as const, path: '/things', body: { a: 1 }, idempotencyKey: true as const },
  ];
  return { name: 'things', ports: [port], requests, pace: { kind: 'closed', connections: 4 }, ...more };
}

describe('LoadGenerator', () => {
  it('sends every second request over a connection of its own, none from the port of another', async () => {
    const portsOf: number[] = [];
    const port = await serve((request, response) => {
      portsOf.push(request.socket.remotePort ?? 0);
      response.end();
    });
    const pace = { kind: 'open', perSecond: 200, connections: 1 } as const;
    const requests = Array.from({ length: 40 }, () => ({ method: 'GET' as const, path: '/things' }));
    const result = await load.start({
      streams: [plan(port, { requests, pace, once: true, halfFresh: true })],
    }).finished;
    expect(result.all).toMatchObject({ requests: 40, ok: 40, failed: 0 });
    // Twenty of their own, and one that the others share (more, when the server has closed it meanwhile).
    expect(new Set(portsOf).size).toBeGreaterThan(20);
  });

  it('sends each request once and with its own key', async () => {
    const seen: { body: string; key: string | undefined }[] = [];
    const port = await serve((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        seen.push({ body, key: request.headers['idempotency-key'] as string | undefined });
        response.writeHead(201, { Location: `/things/${seen.length}` }).end();
      });
    });
    const requests = Array.from({ length: 30 }, (_, i) => ({
      method: 'POST' as const,
      path: '/things',
      body: { i },
      idempotencyKey: true as const,
    }));
    const result = await load.start({ streams: [plan(port, { requests, once: true, journal: true })] })
      .finished;
    expect(result.all).toMatchObject({ requests: 30, ok: 30, failed: 0, statuses: { 201: 30 } });
    expect(new Set(seen.map(({ body }) => body)).size).toBe(30);
    expect(new Set(seen.map(({ key }) => key)).size).toBe(30);
    expect(result.journal.every(({ location }) => location?.startsWith('/things/'))).toBe(true);
  });

  it('counts every request that had to wait for a stalled server (no coordinated omission)', async () => {
    let stalled: (() => void)[] | undefined = [];
    const port = await serve((request, response) => {
      request.resume();
      if (stalled) stalled.push(() => response.end('late'));
      else response.end('at once');
    });
    const running = load.start({ streams: [plan(port, { pace: { kind: 'open', perSecond: 100 } })] });
    await waitFor(() => (stalled?.length ?? 0) >= 50, { what: 'fifty requests that are due' });
    const waiting = stalled;
    stalled = undefined;
    for (const answer of waiting) answer();
    const { all } = await running.stop();
    // They were due one after the other for half a second: the first has waited for all of it.
    expect(all.ok).toBe(all.requests);
    expect(all.p50).toBeGreaterThan(100);
    expect(all.p99).toBeGreaterThan(400);
  });

  it('distinguishes a broken connection from a refused one', async () => {
    const port = await serve((request) => request.socket.destroy());
    const cut = await load.start({
      streams: [plan(port, { requests: [{ method: 'GET', path: '/' }], once: true })],
    }).finished;
    expect(cut.all.failures).toEqual({ reset: 1 });
    expect(cut.losses).toMatchObject([{ kind: 'reset', fresh: true }]);
    await new Promise((resolve) => server?.close(resolve));
    const refused = await load.start({
      streams: [plan(port, { requests: [{ method: 'GET', path: '/' }], once: true, whenRefused: 'leave' })],
    }).finished;
    expect(refused.all.failures).toEqual({ 'connect-refused': 1 });
  });

  it('times out when an answer is late', async () => {
    const port = await serve((request) => request.resume());
    const { all, samples } = await load.start({
      streams: [plan(port, { requests: [{ method: 'GET', path: '/' }], once: true, timeoutMs: 150 })],
    }).finished;
    expect(all.failures).toEqual({ timeout: 1 });
    expect(samples[0]).toMatchObject({ kind: 'timeout', request: 'GET /' });
  });

  it('reconnects when the server closes', async () => {
    const ports = new Set<number | undefined>();
    const port = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      request.resume();
      response.writeHead(200, { Connection: 'close' }).end();
    });
    const requests = Array.from({ length: 5 }, () => ({ method: 'GET' as const, path: '/' }));
    const pace = { kind: 'closed', connections: 1 } as const;
    const { all } = await load.start({ streams: [plan(port, { requests, once: true, pace })] }).finished;
    expect(all).toMatchObject({ ok: 5, failed: 0 });
    expect(ports.size).toBe(5);
  });
});

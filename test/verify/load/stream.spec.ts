import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { waitFor } from '../../../local/wait-for.ts';
import { LoadResult } from './load-result.ts';
import type { StreamPlan } from './plan.ts';
import { Stream } from './stream.ts';

const PAUSE_MS = 60_000;
/** Until the kernel has delivered what was sent, on a loaded machine too. */
const DELIVERED_MS = 200;

/** In a thread of its own, because the client's is busy when it closes its connections. */
const SERVER = `
  const { createServer } = require('node:net');
  const { parentPort, workerData } = require('node:worker_threads');
  const sockets = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n'));
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
  parentPort.on('message', () => {
    for (const socket of sockets.splice(0)) {
      socket.end(() => {
        Atomics.store(workerData, 0, 1);
        Atomics.notify(workerData, 0);
      });
    }
  });
`;

describe('A stream of requests', () => {
  let server: Worker;
  let closed: Int32Array;

  beforeEach(() => {
    closed = new Int32Array(new SharedArrayBuffer(4));
    server = new Worker(SERVER, { eval: true, workerData: closed });
  });

  afterEach(async () => {
    vi.useRealTimers();
    await server.terminate();
  });

  it('does not use a connection again that the server closed while the client was busy', async () => {
    const [port] = (await once(server, 'message')) as [number];
    const request = { method: 'GET', path: '/things' } as const;
    const pace: StreamPlan['pace'] = { kind: 'closed', connections: 1, pauseMs: PAUSE_MS };
    const stream = new Stream({
      name: 'things',
      ports: [port],
      requests: [request, request],
      once: true,
      pace,
    });
    const result = (): LoadResult => new LoadResult([stream.recorder.data()]);
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    stream.start();
    await waitFor(() => result().all.ok === 1, { what: 'the first answer' });

    // All in one turn: the connection ends, and the next request is due before the client has read that.
    server.postMessage('close connections');
    Atomics.wait(closed, 0, 0);
    Atomics.wait(closed, 0, 1, DELIVERED_MS);
    vi.advanceTimersByTime(PAUSE_MS);

    await waitFor(() => result().all.requests === 2, { what: 'the second answer' });
    expect(result().all).toMatchObject({ ok: 2, failed: 0 });
    vi.advanceTimersByTime(PAUSE_MS);
    await stream.finished;
  });
});

import { AsyncLocalStorage } from 'node:async_hooks';
import { createServer, type RequestListener, type Server, ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BatchedResponse } from './batched-response.js';

let server: Server;

async function serve(listener: RequestListener): Promise<{ url: string; port: number }> {
  server = createServer({ ServerResponse: BatchedResponse as typeof ServerResponse }, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port };
}

afterEach(
  () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
);

describe('A batched response', () => {
  it('counts as ended from the call of end() on', async () => {
    const ended: boolean[] = [];
    const { url } = await serve((_request, response) => {
      ended.push(response.writableEnded);
      response.end('done');
      ended.push(response.writableEnded, response.headersSent);
    });
    expect(await (await fetch(url)).text()).toBe('done');
    expect(ended).toEqual([false, true, false]);
  });

  it('reports its end in the context of its own request, however many leave together', async () => {
    const context = new AsyncLocalStorage<string>();
    const finished: [path: string, context: string | undefined][] = [];
    const held: (() => void)[] = [];
    const { url } = await serve((request, response) => {
      const path = String(request.url);
      context.run(path, () => {
        response.on('finish', () => finished.push([path, context.getStore()]));
        held.push(AsyncLocalStorage.bind(() => response.end(path)));
      });
      if (held.length === 40) for (const answer of held) answer();
    });
    const paths = Array.from({ length: 40 }, (_, n) => `/${n}`);
    const answers = await Promise.all(paths.map(async (path) => (await fetch(url + path)).text()));
    expect(answers).toEqual(paths);
    await vi.waitFor(() => expect(finished).toHaveLength(40), { timeout: 20_000 });
    expect(finished.map(([path]) => path).toSorted()).toEqual(paths.toSorted());
    for (const [path, own] of finished) expect(own).toBe(path);
  });

  it('leaves in the order of the requests on one connection', async () => {
    const answers: (() => void)[] = [];
    const { port } = await serve((request, response) => {
      answers.unshift(() => response.end(`<${request.url}>`));
      if (answers.length === 3) for (const answer of answers) answer();
    });
    const socket = connect(port, '127.0.0.1');
    socket.write(
      '/a /b /c'
        .split(' ')
        .map(
          (path) =>
            `GET ${path} HTTP/1.1\r\nHost: here\r\n${path === '/c' ? 'Connection: close\r\n' : ''}\r\n`,
        )
        .join(''),
    );
    expect((await text(socket)).match(/<[^>]+>/g)).toEqual(['</a>', '</b>', '</c>']);
  });

  it('closes without an error when its client has disconnected', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<boolean>();
    const { port } = await serve((_request, response) => {
      response.on('close', () => resolve(response.writableFinished));
      response.end('late');
      response.socket?.destroy();
    });
    connect(port, '127.0.0.1')
      .on('error', () => undefined)
      .write('GET / HTTP/1.1\r\nHost: here\r\n\r\n');
    expect(await closed).toBe(false);
  });
});

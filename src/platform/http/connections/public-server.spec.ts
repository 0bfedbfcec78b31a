import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import type { RequestListener, Server, ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpSettings } from '../../../config/sections/http.settings.js';
import { waitFor } from '../../../../local/wait-for.js';
import { InFlight } from '../admission/in-flight.js';
import { LoadShedder } from '../admission/load-shedder.js';
import { Cors } from '../headers/cors.js';
import { Connections } from './connections.js';
import { createPublicServer } from './public-server.js';
import { RawResponses } from './raw-responses.js';

const SETTINGS = {
  maxConnections: 10,
  maxConnectionsPerAddress: 10,
  maxPipelined: 32,
  arrivalTimeoutMs: 60_000,
  writeTimeoutMs: 60_000,
  requestTimeoutMs: 60_000,
  trustProxy: [],
  corsOrigins: [],
} as Partial<HttpSettings> as HttpSettings;

/** More than the buffers of the kernel take. */
const BIG = Buffer.alloc(16 * 1024 * 1024);

describe('Requests that a client pipelines', () => {
  let server: Server;
  let shedder: LoadShedder;
  let client: Socket;
  let atServer: Socket;
  /** Paths whose head has arrived, and those whose handler has been called. */
  let arrived: string[];
  let begun: string[];
  /** How many have been answered, or have lost their connection. */
  let ended: number;

  async function pipeline(paths: string[], serve: RequestListener): Promise<void> {
    arrived = [];
    begun = [];
    ended = 0;
    shedder = new LoadShedder(new InFlight(), 100, 60_000);
    const connections = new Connections(SETTINGS);
    connections.on('end', () => (ended += 1));
    const cors = new Cors([]);
    const parts = { connections, shedder, cors, raw: new RawResponses(connections, cors) };
    server = createPublicServer(SETTINGS, parts, (request, response) => {
      begun.push(String(request.url));
      serve(request, response);
    });
    server.on('request', ({ url, socket }) => {
      arrived.push(String(url));
      atServer = socket;
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: here\r\n\r\n`).join(''));
    await waitFor(() => arrived.length === paths.length, { what: 'the arrival of every request' });
  }

  afterEach(async () => {
    client.destroy();
    shedder.close();
    await once(server.close(), 'close');
  });

  it('are begun one after another, each when the one before is answered', async () => {
    const answers: ServerResponse[] = [];
    await pipeline(['/1', '/2', '/3'], (_request, response) => answers.push(response));

    for (const expected of [['/1'], ['/1', '/2'], ['/1', '/2', '/3']]) {
      await waitFor(() => begun.length >= expected.length, { what: `the beginning of ${expected.at(-1)}` });
      expect(begun).toEqual(expected);
      answers.at(-1)?.end();
    }
  });

  it('are not begun while the client does not read an answer, and all are when it does', async () => {
    await pipeline(['/1', '/2', '/3'], (_request, response) => response.end(BIG));
    await waitFor(() => atServer.writableLength > 0, { what: 'an answer that does not leave' });
    expect(begun).toEqual(['/1']);

    let received = 0;
    client.on('data', ({ length }) => (received += length));

    await waitFor(() => received > 3 * BIG.length, { what: 'three answers' });
    expect(begun).toEqual(['/1', '/2', '/3']);
  });

  it('are not begun when the client has disconnected', async () => {
    const answers: ServerResponse[] = [];
    await pipeline(['/1', '/2'], (_request, response) => answers.push(response));

    client.destroy();
    await waitFor(() => ended === 2, { what: 'the end of both' });
    answers[0]?.end();
    await nextTurn();

    expect(begun).toEqual(['/1']);
  });

  it('are begun in a context of their own', async () => {
    const context = new AsyncLocalStorage<string>();
    const found: (string | undefined)[] = [];
    await pipeline(['/1', '/2'], (request, response) => {
      found.push(context.getStore());
      context.run(String(request.url), () => response.end());
    });

    await waitFor(() => begun.length === 2, { what: 'the beginning of both' });
    expect(found).toEqual([undefined, undefined]);
  });
});

import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RawClient, type RawClientOptions } from '../../support/raw-client.js';
import { waitFor } from '../../../local/wait-for.js';
import { startLedger, type LedgerUnderTest } from '../../specimen/ledger-under-test.js';

let ledger: LedgerUnderTest;
const clients: RawClient[] = [];
/** The server's ends of the connections. */
const held: Socket[] = [];

async function open(options?: RawClientOptions): Promise<RawClient> {
  const client = await RawClient.open(ledger.url, options);
  clients.push(client);
  return client;
}

const serverEndOf = ({ socket }: RawClient) => held.find(({ remotePort }) => remotePort === socket.localPort);

beforeAll(async () => {
  ledger = await startLedger({
    OVERLOAD_MAX_IN_FLIGHT: '10',
    // However late the server is with its answers.
    HTTP_MAX_PIPELINED: '1000',
    DOCS_ENABLED: 'true',
  });
  const server = ledger.api.getHttpServer() as Server;
  server.on('connection', (socket: Socket) => held.push(socket));
});
afterAll(() => ledger?.stop());
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

describe('A server with 10 slots serves others', () => {
  it('while 50 clients have sent headers and no body', async () => {
    for (let n = 0; n < 50; n += 1) {
      (await open()).send(
        'POST /v1/auth/login HTTP/1.1',
        'Host: here',
        'Content-Type: application/json',
        'Content-Length: 60',
        '',
        '{',
      );
    }
    await waitFor(() => clients.every((client) => serverEndOf(client)), { what: '50 connections' });

    for (let n = 0; n < 5; n += 1) expect((await ledger.http.get('/v1/accounts')).status).toBe(200);
  });

  it('while 3 clients send requests and never read their answers', async () => {
    for (let n = 0; n < 3; n += 1) await open({ reads: false });
    await waitFor(
      () => {
        // More and more of them, until the buffers of the kernel are full.
        for (const client of clients)
          client.send('GET /openapi.json HTTP/1.1\r\nHost: here\r\n\r\n'.repeat(5));
        return clients.every((client) => (serverEndOf(client)?.writableLength ?? 0) > 0);
      },
      { what: '3 connections whose answers do not leave' },
    );

    for (let n = 0; n < 5; n += 1) expect((await ledger.http.get('/v1/accounts')).status).toBe(200);
  });

  it('and works on no more than 10 when all bodies arrive at once', async () => {
    const body = JSON.stringify({ email: 'nobody@example.com', password: 'a password of some length' });
    const waiting: RawClient[] = [];
    for (let n = 0; n < 40; n += 1) {
      const client = await open();
      waiting.push(
        client.send(
          'POST /v1/auth/login HTTP/1.1',
          'Host: here',
          'Content-Type: application/json',
          `Content-Length: ${body.length}`,
          '',
          body.slice(0, -1),
        ),
      );
    }
    for (const client of waiting) client.send(body.slice(-1));
    const answers = (await Promise.all(waiting.map((client) => client.receives(1)))).flat();

    const refused = answers.filter(({ status }) => status === 503);
    expect(answers.length - refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeGreaterThan(0);
    for (const { headers, body: problem } of refused) {
      expect(headers).toMatchObject({
        'retry-after': '1',
        'content-type': expect.stringContaining('problem'),
      });
      expect(JSON.parse(problem)).toMatchObject({ code: 'temporary-reduced-capacity' });
    }
  });
});

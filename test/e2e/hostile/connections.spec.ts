import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RawClient, type RawClientOptions } from '../../support/raw-client.js';
import { waitFor } from '../../../local/wait-for.js';
import { startLedger, type LedgerUnderTest } from '../../specimen/ledger-under-test.js';
import { refusedConnections } from './metrics-of.js';

const PROXY = '127.0.0.9';
const READ = 'GET /v1/accounts HTTP/1.1\r\nHost: here\r\n\r\n';
const LOGIN = [
  'POST /v1/auth/login HTTP/1.1',
  'Host: here',
  'Content-Type: application/json',
  'Content-Length: 60',
  '',
  '{',
];

let ledger: LedgerUnderTest;
const clients: RawClient[] = [];
/** The server's ends of the connections. */
const held: Socket[] = [];

async function open(options?: RawClientOptions): Promise<RawClient> {
  const client = await RawClient.open(ledger.url, options);
  clients.push(client);
  return client;
}

async function start(env: Record<string, string>): Promise<void> {
  ledger = await startLedger(env);
  (ledger.api.getHttpServer() as Server).on('connection', (socket: Socket) => held.push(socket));
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await waitFor(() => held.every(({ destroyed }) => destroyed), { what: 'the end of every connection' });
  held.length = 0;
});

describe('A request that does not arrive', () => {
  // The limit of 1.5 s, found out within another second, and room for a busy machine.
  const IN_TIME_MS = 20_000;

  beforeAll(() => start({ HTTP_ARRIVAL_TIMEOUT_MS: '1500' }));
  afterAll(() => ledger?.stop());

  it.each([
    ['because it has not begun', []],
    ['because its headers stop', ['POST /v1/auth/login HTTP/1.1', 'Host: he']],
    ['because its body stops', LOGIN],
  ])('%s is answered 408 in time, and its connection is closed', async (_, lines) => {
    const startedAt = performance.now();
    const client = (await open()).send(...lines);

    const answers = await client.ended(IN_TIME_MS);

    expect(answers.map(({ status }) => status)).toEqual([408]);
    expect(answers[0]?.headers).toMatchObject({ connection: 'close' });
    expect(JSON.parse(answers[0]?.body ?? '')).toMatchObject({ code: 'request-timeout' });
    expect(performance.now() - startedAt).toBeGreaterThan(1_000);
  });

  it('has no more time when it arrives byte by byte', async () => {
    const client = (await open()).send(...LOGIN);
    const trickle = setInterval(() => client.send(' '), 200);
    try {
      expect((await client.ended(IN_TIME_MS)).map(({ status }) => status)).toEqual([408]);
    } finally {
      clearInterval(trickle);
    }
  });

  it('has no more time when it is chunked', async () => {
    const client = (await open()).send(...LOGIN.slice(0, 3), 'Transfer-Encoding: chunked', '', '1\r\n{\r\n');
    const trickle = setInterval(() => client.send('1\r\n \r\n'), 200);
    try {
      expect((await client.ended(IN_TIME_MS)).map(({ status }) => status)).toEqual([408]);
    } finally {
      clearInterval(trickle);
    }
  });
});

describe('A client that never reads', () => {
  beforeAll(() =>
    start({
      HTTP_WRITE_TIMEOUT_MS: '1000',
      HTTP_REQUEST_TIMEOUT_MS: '1000',
      // However late the server is with its answers.
      HTTP_MAX_PIPELINED: '1000',
      DOCS_ENABLED: 'true',
    }),
  );
  afterAll(() => ledger?.stop());

  it('is disconnected after the write timeout', async () => {
    const client = await open({ reads: false });
    await waitFor(
      () => {
        // More and more, until the buffers of the kernel are full.
        client.send('GET /openapi.json HTTP/1.1\r\nHost: here\r\n\r\n');
        return (held[0]?.writableLength ?? 0) > 0;
      },
      { what: 'an answer that does not leave' },
    );

    await waitFor(() => held[0]?.destroyed, { what: 'the end of the connection' });
  });
});

describe('Requests on one connection', () => {
  beforeAll(() => start({ HTTP_MAX_PIPELINED: '8' }));
  afterAll(() => ledger?.stop());

  it('may be eight before the first is answered', async () => {
    const client = (await open()).send(READ.repeat(8));

    expect((await client.receives(8)).map(({ status }) => status)).toEqual(Array(8).fill(200));
  });

  it('are answered in order, the ninth with 429, and then the connection is closed', async () => {
    const client = (await open()).send(READ.repeat(200));

    const answers = await client.ended();

    expect(answers.map(({ status }) => status)).toEqual([...Array<number>(8).fill(200), 429]);
    expect(answers[8]?.headers).toMatchObject({ connection: 'close', 'retry-after': '1' });
    expect(JSON.parse(answers[8]?.body ?? '')).toMatchObject({ code: 'too-many-pipelined-requests' });
  });

  it('are not limited over time', async () => {
    const client = await open();
    for (let n = 1; n <= 40; n += 1) await client.send(READ).receives(n);
  });
});

describe('Connections', () => {
  beforeAll(() =>
    start({ HTTP_MAX_CONNECTIONS: '60', HTTP_MAX_CONNECTIONS_PER_ADDRESS: '20', TRUST_PROXY: PROXY }),
  );
  afterAll(() => ledger?.stop());

  const isServed = async (client: RawClient, count = 1): Promise<boolean> => {
    client.send(READ);
    await waitFor(() => client.closed || client.answers().length >= count, { what: 'an answer or the end' });
    return client.answers().length >= count;
  };

  it('of one address are at most 20, regardless of others', async () => {
    const own = await Promise.all(Array.from({ length: 20 }, () => open({ from: '127.0.0.2' })));
    await waitFor(() => held.length >= 20);

    expect(await isServed(await open({ from: '127.0.0.2' }))).toBe(false);
    expect(await isServed(await open({ from: '127.0.0.3' }))).toBe(true);
    expect(await isServed(own[0] as RawClient)).toBe(true);

    own[1]?.close();
    await waitFor(async () => isServed(await open({ from: '127.0.0.2' })), { what: 'the freed place' });
    expect((await refusedConnections(ledger)).address).toBeGreaterThanOrEqual(1);
  });

  it('of a trusted proxy are limited only by the total', async () => {
    await Promise.all(Array.from({ length: 40 }, () => open({ from: PROXY })));
    await waitFor(() => held.length >= 40);

    expect(await isServed(await open({ from: PROXY }))).toBe(true);
  });

  it('have a total limit', async () => {
    await Promise.all(Array.from({ length: 60 }, () => open({ from: PROXY })));
    await waitFor(() => held.length >= 60);

    expect(await isServed(await open({ from: PROXY }))).toBe(false);
    expect(await refusedConnections(ledger)).toMatchObject({ total: 1 });
  });
});

import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { waitFor } from '../../../local/wait-for.js';
import { startLedger, type LedgerUnderTest } from '../../specimen/ledger-under-test.js';
import { LARGE, Streams } from './routes.module.js';

vi.mock('../../specimen/product.modules.js', async (original) => {
  const { PRODUCT } = await original<typeof import('../../specimen/product.modules.js')>();
  const { RoutesModule } = await import('./routes.module.js');
  return { PRODUCT: [...PRODUCT, RoutesModule] };
});

let ledger: LedgerUnderTest;

beforeAll(async () => {
  ledger = await startLedger({ CORS_ORIGINS: 'https://app.example' });
});

afterAll(() => ledger?.stop());

/** Sees an answer as it comes: `fetch` would ask for compression and undo it. */
async function open(
  path: string,
  headers: Record<string, string> = {},
  { method = 'GET', url = ledger.url } = {},
): Promise<IncomingMessage> {
  const request = get(new URL(path, url), { method, headers, agent: false });
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  return answer;
}

async function ask(...request: Parameters<typeof open>) {
  const answer = await open(...request);
  return { status: answer.statusCode, headers: answer.headers, bytes: await buffer(answer) };
}

const GZIP = { 'accept-encoding': 'gzip, deflate, br' };

describe('A route that compresses', () => {
  it('sends a large answer compressed, under a tag of its own', async () => {
    const { headers, bytes } = await ask('/v1/texts/large', GZIP);

    expect(headers).toMatchObject({
      'content-encoding': 'gzip',
      'content-type': 'text/plain; charset=utf-8',
      'content-length': String(bytes.length),
      etag: '"t1--gzip"',
      vary: 'Origin, Accept-Encoding',
    });
    expect(bytes.length).toBeLessThan(LARGE.length / 10);
    expect(gunzipSync(bytes).toString()).toBe(LARGE);
  });

  it.each<Record<string, string>>([
    {},
    { 'accept-encoding': 'identity' },
    { 'accept-encoding': 'gzip;q=0, br' },
  ])('sends it as it is to a client that does not take gzip: %o', async (accepted) => {
    const { headers, bytes } = await ask('/v1/texts/large', accepted);

    expect(headers).toMatchObject({ etag: '"t1"', vary: 'Origin, Accept-Encoding' });
    expect(headers).not.toHaveProperty('content-encoding');
    expect(bytes.toString()).toBe(LARGE);
  });

  it('answers 304 with the tag that the client has, compressed or not', async () => {
    for (const etag of ['"t1--gzip"', '"t1"']) {
      const { status, headers, bytes } = await ask('/v1/texts/large', { ...GZIP, 'if-none-match': etag });

      expect([status, headers.etag, bytes.length]).toEqual([304, etag, 0]);
      expect(headers.vary).toBe('Origin, Accept-Encoding');
      expect(headers).not.toHaveProperty('content-encoding');
    }
  });

  it('takes a change of the version that was read compressed', async () => {
    const change = (etag: string) =>
      ledger.http.patch('/v1/texts/large', undefined, { headers: { 'if-match': etag } });

    expect((await change('"t1--gzip"')).status).toBe(204);
    expect((await change('"t2--gzip"')).status).toBe(412);
  });

  it.each(['/v1/texts/large', '/v1/texts/stream'])(
    'answers HEAD as GET, without a body: %s',
    async (path) => {
      const { status, headers, bytes } = await ask(path, GZIP, { method: 'HEAD' });

      expect([status, headers['content-encoding'], bytes.length]).toEqual([200, 'gzip', 0]);
      expect(headers).not.toHaveProperty('content-length');
      expect(headers.vary).toBe('Origin, Accept-Encoding');
    },
  );

  it('leaves a small answer, an error and a compressed one as they are', async () => {
    const small = await ask('/v1/texts/small', GZIP);
    expect(small.headers).not.toHaveProperty('content-encoding');
    expect(small.bytes).toHaveLength(1000);

    const problem = await ask('/v1/accounts?limit=x', GZIP);
    expect([problem.status, problem.headers['content-encoding']]).toEqual([422, undefined]);

    const { headers, bytes } = await ask('/v1/texts/encoded', GZIP);
    expect(headers.vary).toBe('X-Other, Origin, Accept-Encoding');
    expect(gunzipSync(bytes).toString()).toBe(LARGE);
  });

  it('sends the whole to a client that asks for a range', async () => {
    const { status, bytes } = await ask('/v1/texts/large', { ...GZIP, range: 'bytes=0-9' });

    expect(status).toBe(200);
    expect(gunzipSync(bytes).toString()).toBe(LARGE);
  });

  it('holds nothing when it has answered', async () => {
    await Promise.all(Array.from({ length: 20 }, () => ask('/v1/texts/large', GZIP)));
    const { inFlight } = ledger.api.getHttpAdapter().getInstance() as { inFlight: { size: number } };

    await waitFor(() => inFlight.size === 0, { what: 'no request in flight' });
  });

  it('produces no more of a stream than its client reads, and ends it when the client leaves', async () => {
    const streams = ledger.api.get(Streams, { strict: false });
    const before = { chunks: streams.chunks, closed: streams.closed };
    const answer = await open('/v1/texts/stream', GZIP);
    expect(answer.headers['content-encoding']).toBe('gzip');

    // It produces until the buffers on the way are full, and then stands still.
    let seen = -1;
    await waitFor(
      () => {
        const stands = streams.chunks === seen;
        seen = streams.chunks;
        return stands;
      },
      { every: 500, what: 'a stream that waits for its reader' },
    );
    expect((streams.chunks - before.chunks) * 32_768).toBeLessThan(50_000_000);

    answer.destroy();
    await waitFor(() => streams.closed === before.closed + 1, { what: 'the end of the stream' });
  });
});

it('A route that does not ask for it is never compressed: its answer may hold a secret', async () => {
  const { headers, bytes } = await ask('/v1/texts/plain', GZIP);

  expect(headers.vary).toBe('Origin');
  expect(headers).not.toHaveProperty('content-encoding');
  expect(bytes.toString()).toBe(LARGE);
});

it.each([
  ['/v1/texts/thrown', 'Origin, Accept-Language'],
  ['/v1/texts/broken', 'Origin, Accept-Encoding, Accept-Language'],
])('An error has no header that its handler meant for the success: %s', async (path, vary) => {
  const { status, headers, bytes } = await ask(path, GZIP);

  expect(status).toBe(503);
  expect(headers).toMatchObject({
    'content-type': 'application/problem+json; charset=utf-8',
    'cache-control': 'no-store',
    vary,
  });
  for (const name of ['etag', 'content-encoding', 'content-disposition'])
    expect(headers).not.toHaveProperty(name);
  expect(JSON.parse(bytes.toString())).toMatchObject({ code: 'text-storage-down' });
});

it('A header that cannot be sent is an error like any other', async () => {
  const { status, headers, bytes } = await ask('/v1/texts/named');

  expect([status, headers['content-type']]).toEqual([500, 'application/problem+json; charset=utf-8']);
  expect(headers).toMatchObject({ 'x-kind': 'text', 'x-content-type-options': 'nosniff' });
  expect(headers).not.toHaveProperty('set-cookie');
  expect(JSON.parse(bytes.toString())).toMatchObject({
    code: 'internal-error',
    requestId: headers['x-request-id'],
  });
});

it('The document and the scripts of its page are compressed, the picture is not', async () => {
  for (const path of ['/openapi.json', '/docs/swagger-ui-bundle.js'])
    expect((await ask(path, GZIP)).headers['content-encoding']).toBe('gzip');
  expect((await ask('/docs/favicon-32x32.png', GZIP)).headers).not.toHaveProperty('content-encoding');
});

it('Where a proxy compresses, nothing is compressed', async () => {
  ledger.settings.http.compressionEnabled = false;
  try {
    const { headers } = await ask('/v1/texts/large', GZIP, { url: await ledger.anotherApi() });
    expect([headers['content-encoding'], headers.etag, headers.vary]).toEqual([undefined, '"t1"', 'Origin']);
  } finally {
    ledger.settings.http.compressionEnabled = true;
  }
});

import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TransientError } from '../../src/platform/errors/index.js';
import type { ObjectStorage } from '../../src/platform/storage/index.js';
import { startObjectStorage, type ObjectStorageServer } from '../../local/servers/object-storage.js';
import { freePort } from '../../local/servers/ports.js';
import { startTcpProxy, type TcpProxy } from '../../local/servers/tcp-proxy.js';
import { waitFor } from '../../local/wait-for.js';
import { bodyOf, newKey, s3Storage, sizeOf } from '../specimen/storage-under-test.js';

const TYPE = { contentType: 'video/mp4' };
/** More than all buffers between the storage and its reader hold. */
const LARGE = 24_000_000;

let server: ObjectStorageServer;
let proxy: TcpProxy;
/** Key of an object of that size. */
let large: string;

beforeAll(async () => {
  server = await startObjectStorage();
  large = await stored(s3Storage(server, { STORAGE_TIMEOUT_MS: '60000' }), LARGE);
});
afterAll(() => server?.stop());
beforeEach(async () => {
  proxy = await startTcpProxy(server.port);
});
afterEach(() => proxy.stop());

/** A client with a circuit breaker of its own; it can wait for long unless a test is about that. */
const client = (env: Record<string, string> = {}): ObjectStorage =>
  s3Storage(server, { port: proxy.port, ...env });

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: unknown) => (error as { code?: unknown }).code,
  );

async function stored(storage: ObjectStorage, size: number): Promise<string> {
  const key = newKey();
  await storage.put(key, bodyOf(size), { size, ...TYPE });
  return key;
}

/** The first piece of an object, and a reader of the rest. */
async function begun(storage: ObjectStorage, key: string): Promise<AsyncIterator<Uint8Array>> {
  const object = await storage.get(key);
  const pieces = (object!.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  expect((await pieces.next()).done).toBe(false);
  return pieces;
}

async function rest(pieces: AsyncIterator<Uint8Array>): Promise<number> {
  return sizeOf({ [Symbol.asyncIterator]: () => pieces });
}

describe('while the object storage', () => {
  it('is down, calls fail at once, then are not made; and go on as soon as it is back', async () => {
    const storage = client();
    const key = await stored(storage, 5);
    proxy.pointTo(await freePort());
    proxy.cut();
    const codes = await waitFor(
      async () => {
        const code = await codeOf(storage.head(key));
        return code === 'object-storage-unavailable' && code;
      },
      { within: 60_000, what: 'an open circuit' },
    );
    expect(codes).toBe('object-storage-unavailable');
    await expect(storage.delete(key)).rejects.toBeInstanceOf(TransientError);
    const unread = bodyOf(5);
    await expect(storage.put(key, unread, { size: 5, ...TYPE })).rejects.toBeInstanceOf(TransientError);
    expect(unread.destroyed).toBe(true);

    proxy.pointTo(server.port);
    const back = await waitFor(() => storage.head(key).catch(() => undefined), {
      within: 60_000,
      what: 'the storage to answer again',
    });
    expect(back).toEqual({ size: 5, ...TYPE });
  });

  it('is down or frozen, URLs are signed all the same, because nobody is asked', async () => {
    const storage = client();
    proxy.freeze();
    const { url } = await storage.signPut(newKey(), { size: 5, ...TYPE }, 60);
    proxy.thaw();
    const headers = { 'Content-Type': 'video/mp4', 'If-None-Match': '*' };
    expect((await fetch(url, { method: 'PUT', headers, body: 'hello' })).status).toBe(200);
  });

  it('is frozen, a call ends after its timeout', async () => {
    const storage = client({ STORAGE_TIMEOUT_MS: '300' });
    proxy.freeze();
    expect(await codeOf(storage.head(newKey()))).toBe('object-storage-timeout');
    expect(await codeOf(storage.get(newKey()))).toBe('object-storage-timeout');
  });

  it('is slow, calls wait', async () => {
    const storage = client();
    proxy.delay(150);
    const key = await stored(storage, 100_000);
    expect(await sizeOf((await storage.get(key))!.body)).toBe(100_000);
    await storage.delete(key);
    expect(await storage.head(key)).toBeUndefined();
  });

  it('stops in the middle of an object, its reader gets an error and not a part', async () => {
    const storage = client({ STORAGE_TIMEOUT_MS: '20000' });
    const pieces = await begun(storage, large);
    proxy.freeze();
    await expect(rest(pieces)).rejects.toMatchObject({ code: 'object-storage-silent' });
  });

  it('is cut off in the middle of an object, its reader gets an error and not a part', async () => {
    const storage = client();
    const pieces = await begun(storage, large);
    proxy.cut();
    await expect(rest(pieces)).rejects.toBeInstanceOf(TransientError);
  });

  it('is cut off in the middle of a body that it gets, the sender knows', async () => {
    const storage = client();
    const half = new Readable({ read: () => undefined });
    half.push(Buffer.alloc(1_000_000));
    const putting = codeOf(storage.put(newKey(), half, { size: LARGE, ...TYPE }));
    await waitFor(() => proxy.connections > 0, { within: 60_000, what: 'a connection' });
    proxy.cut();
    expect(await putting).toBe('object-storage-silent');
    expect(half.destroyed).toBe(true);
  });

  it('does not read, a source is read no further than the buffers on the way', async () => {
    const storage = client({ STORAGE_TIMEOUT_MS: '1000' });
    let made = 0;
    const source = Readable.from(
      (function* () {
        for (; ; made += 65_536) yield Buffer.alloc(65_536);
      })(),
      { objectMode: false },
    );
    proxy.freeze();
    // A body may take a second for each MiB.
    await expect(storage.put(newKey(), source, { size: 3 * 1024 * 1024, ...TYPE })).rejects.toThrow();
    expect(made).toBeLessThan(LARGE);
  });

  it('rejects our key, the answer is that it is unavailable, without any detail', async () => {
    const storage = client({ STORAGE_SECRET_ACCESS_KEY: 'not-the-secret' });
    const failure = await storage.delete(newKey()).catch((error: unknown) => error);
    expect(failure).toMatchObject({ status: 503, code: 'object-storage-failed' });
    expect(String((failure as Error).message)).not.toMatch(/not-the-secret|S3RVER|Signature/);
  });

  it('has nobody who reads to the end, its connection is free again', async () => {
    const storage = client();
    for (const read of [false, true]) {
      const object = await storage.get(large);
      if (read) await object!.body[Symbol.asyncIterator]().next();
      object!.body.destroy();
    }
    await waitFor(() => proxy.connections === 0, { within: 60_000, what: 'no connection' });
  });
});

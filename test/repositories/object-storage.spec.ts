import { readdir } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { register } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SignedRequest } from '../../src/platform/storage/index.js';
import {
  bodyOf,
  newKey,
  sizeOf,
  startDiskStorage,
  startS3Storage,
  type StorageUnderTest,
} from '../specimen/storage-under-test.js';

const TEXT = { contentType: 'text/plain' };
const HOUR = 3600;

const send = ({ method, url, headers }: SignedRequest, body?: string, more: Record<string, string> = {}) =>
  fetch(url, { method, headers: { ...headers, ...more }, body });

const KINDS: [string, () => Promise<StorageUnderTest>][] = [
  ['on this disk', () => startDiskStorage()],
  ['that speaks S3', () => startS3Storage()],
];

describe.each(KINDS)('an object storage %s', (_kind, start) => {
  let under: StorageUnderTest;
  beforeAll(async () => {
    under = await start();
  });
  afterAll(() => under?.stop());

  const stored = async (key: string): Promise<string | undefined> => {
    const object = await under.storage.get(key);
    return object && text(object.body);
  };

  it('stores, describes, reads, replaces and deletes objects', async () => {
    const { storage } = under;
    const key = newKey();
    expect([await storage.head(key), await storage.get(key)]).toEqual([undefined, undefined]);

    await storage.put(key, Readable.from(['hello']), { size: 5, ...TEXT });
    expect(await storage.head(key)).toEqual({ size: 5, ...TEXT });
    expect(await stored(key)).toBe('hello');

    await storage.put(key, Readable.from(['{}']), { size: 2, contentType: 'application/json' });
    expect(await storage.head(key)).toEqual({ size: 2, contentType: 'application/json' });
    expect(await stored(key)).toBe('{}');

    await storage.delete(key);
    await storage.delete(key);
    expect(await storage.head(key)).toBeUndefined();
  });

  it('takes a file from a client and gives it back, by signed URLs alone', async () => {
    const { storage } = under;
    const key = newKey();
    const put = await storage.signPut(key, { size: 5, ...TEXT }, HOUR);
    expect(put.expiresAt.getTime()).toBeGreaterThan(Date.now() + (HOUR - 600) * 1000);
    expect((await send(put, 'hello')).status).toBe(200);
    expect(await storage.head(key)).toEqual({ size: 5, ...TEXT });

    const shown = await send(await storage.signGet(key, HOUR));
    expect([shown.status, await shown.text(), shown.headers.get('content-type')]).toEqual([
      200,
      'hello',
      'text/plain',
    ]);
    expect((await send(await storage.signGet(newKey(), HOUR))).status).toBe(404);
  });

  it('rejects a file of another size or type than was signed, and keeps nothing of it', async () => {
    const { storage } = under;
    const key = newKey();
    const put = await storage.signPut(key, { size: 5, ...TEXT }, HOUR);
    const refused = [
      await send(put, 'longer'),
      await send(put, 'less'),
      await send(put, 'hello', { 'Content-Type': 'text/html' }),
      await send(put, 'hello', { 'If-None-Match': 'something' }),
      await send({ ...put, headers: {} }, 'hello'),
      await send({ ...put, method: 'GET' }),
    ];
    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 403));
    expect(await storage.head(key)).toBeUndefined();
  });

  it('rejects URLs that were changed, that are for another object, and that nobody has signed', async () => {
    const { storage } = under;
    const [mine, other] = [newKey(), newKey()];
    await storage.put(other, Readable.from(['secret']), { size: 6, ...TEXT });
    const { url } = await storage.signGet(mine, HOUR);
    const unsigned = new URL(url);
    unsigned.search = '';
    const later = new URL(url);
    for (const name of ['expires', 'X-Amz-Expires'])
      if (later.searchParams.has(name)) later.searchParams.set(name, '9999999999');
    const changed = [url.replace(mine, other), unsigned.href, later.href];
    for (const tried of changed) expect((await fetch(tried)).status, tried).toBeGreaterThanOrEqual(400);
  });

  it('rejects a URL that has expired', async () => {
    const { storage } = under;
    const key = newKey();
    await storage.put(key, Readable.from(['hello']), { size: 5, ...TEXT });
    expect((await send(await storage.signGet(key, -HOUR))).status).toBe(403);
    expect((await send(await storage.signPut(newKey(), { size: 5, ...TEXT }, -HOUR), 'hello')).status).toBe(
      403,
    );
  });

  it('rejects a body that ends early, is longer than announced, or fails', async () => {
    const { storage } = under;
    const cut = Readable.from(
      (function* () {
        yield 'hel';
        throw new Error('the source was cut');
      })(),
    );
    await expect(storage.put(newKey(), cut, { size: 5, ...TEXT })).rejects.toThrow('the source was cut');
    for (const size of [4, 6]) {
      const body = Readable.from(['hello']);
      await expect(storage.put(newKey(), body, { size, ...TEXT })).rejects.toThrow(`instead of ${size}`);
      expect(body.destroyed).toBe(true);
    }
  });

  it('streams: a file of 200 MB is never in memory, nor a large part of it', async () => {
    const { storage } = under;
    const key = newKey();
    const size = 200_000_000;
    const before = process.memoryUsage().rss;
    let most = before;
    const watching = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss);
    }, 10);
    await storage.put(key, bodyOf(size), { size, contentType: 'video/mp4' });
    const object = await storage.get(key);
    expect(await sizeOf(object!.body)).toBe(size);
    const read = await send(await storage.signGet(key, HOUR));
    expect(await sizeOf(read.body!)).toBe(size);
    const other = newKey();
    const { url, headers } = await storage.signPut(other, { size, contentType: 'video/mp4' }, HOUR);
    const sent = await fetch(url, {
      method: 'PUT',
      headers: { ...headers, 'Content-Length': String(size) },
      body: bodyOf(size),
      duplex: 'half',
    } as unknown as RequestInit);
    expect(sent.status).toBe(200);
    clearInterval(watching);
    expect(most - before).toBeLessThan(160_000_000);
  }, 600_000);

  it('has keys of up to 200 characters, in as many parts', async () => {
    const { storage } = under;
    const key = `${'a/'.repeat(99)}bb`;
    await storage.put(key, Readable.from(['hello']), { size: 5, ...TEXT });
    expect(await stored(key)).toBe('hello');
    await storage.delete(key);
  });

  it('has no keys that could lead out of it', async () => {
    const { storage } = under;
    const keys = [
      '',
      '/',
      '../x',
      'a/../x',
      'a//x',
      '/etc/passwd',
      'a/.',
      '.hidden',
      'a\0',
      'a b',
      'x'.repeat(201),
    ];
    for (const key of keys) {
      await expect(storage.put(key, bodyOf(1), { size: 1, ...TEXT }), key).rejects.toThrow('Not a key');
      await expect(storage.signPut(key, { size: 1, ...TEXT }, HOUR), key).rejects.toThrow('Not a key');
      await expect(storage.delete(key), key).rejects.toThrow('Not a key');
    }
  });
});

describe('files on this disk', () => {
  let under: StorageUnderTest & { directory: string };
  beforeAll(async () => {
    // Long enough for what arrives in one piece, on a busy machine.
    under = await startDiskStorage({ HTTP_ARRIVAL_TIMEOUT_MS: '10000' });
  });
  afterAll(() => under?.stop());

  it('stay as they are when a signed URL is used again', async () => {
    const key = newKey();
    const put = await under.storage.signPut(key, { size: 5, ...TEXT }, HOUR);
    const [first, second] = [await send(put, 'first'), await send(put, 'again')];
    expect([first.status, second.status]).toEqual([200, 412]);
    expect(await second.json()).toMatchObject({ code: 'object-exists' });
    const read = await send(await under.storage.signGet(key, HOUR));
    expect(await read.text()).toBe('first');
  });

  it('are whole or not there, however many are put, read and deleted at once', async () => {
    const { storage } = under;
    const kinds = ['text/plain', 'application/json; charset=utf-8', 'image/png'];
    for (let round = 0; round < 20; round += 1) {
      const key = newKey();
      const { url } = await storage.signGet(key, HOUR);
      const put = async (n: number) => {
        const body = 'x'.repeat(n + 1);
        await storage.put(key, Readable.from([body]), { size: n + 1, contentType: kinds[n] as string });
      };
      const look = async () => {
        const described = await storage.head(key);
        if (described) expect(described.contentType).toBe(kinds[described.size - 1]);
        const object = await storage.get(key);
        if (!object) return;
        expect(object.contentType).toBe(kinds[object.size - 1]);
        expect(await text(object.body)).toHaveLength(object.size);
      };
      const fetched = async () => {
        const answer = await fetch(url);
        const body = await answer.text();
        expect([200, 404]).toContain(answer.status);
        if (answer.ok) expect(answer.headers.get('content-type')).toBe(kinds[body.length - 1]);
      };
      await put(0);
      await Promise.all([put(0), look(), put(1), fetched(), look(), put(2), fetched(), look()]);
      expect(await storage.head(key)).toBeDefined();
      await Promise.all([look(), fetched(), storage.delete(key), look(), fetched()]);
      expect(await storage.head(key)).toBeUndefined();
    }
  });

  it('are not there when their source is cut', async () => {
    const [key, whole] = [newKey(), newKey()];
    await under.storage.put(whole, Readable.from(['hello']), { size: 5, ...TEXT });
    await expect(under.storage.put(key, Readable.from(['hel']), { size: 5, ...TEXT })).rejects.toThrow(
      'bytes',
    );
    await expect(under.storage.put(whole, Readable.from(['hel']), { size: 5, ...TEXT })).rejects.toThrow(
      'bytes',
    );
    expect(await under.storage.head(key)).toBeUndefined();
    expect(await text((await under.storage.get(whole))!.body)).toBe('hello');
  });

  it('are not there when their client stalls', async () => {
    const key = newKey();
    const { url, headers } = await under.storage.signPut(key, { size: 1_000_000, ...TEXT }, HOUR);
    const stalling = new Readable({ read: () => undefined });
    stalling.push(Buffer.alloc(500_000));
    const answer = fetch(url, {
      method: 'PUT',
      headers: { ...headers, 'Content-Length': '1000000' },
      body: Readable.toWeb(stalling) as ReadableStream,
      duplex: 'half',
    } as RequestInit);
    expect((await answer).status).toBe(408);
    stalling.destroy();
    expect(await under.storage.head(key)).toBeUndefined();
    await expect
      .poll(() => readdir(under.directory), { timeout: 30_000 })
      .not.toContainEqual(expect.stringMatching(/^\./));
  });

  it('are counted in the metrics, as those in a bucket are', async () => {
    await under.storage.head(newKey());
    expect(await register.metrics()).toMatch(
      /object_storage_request_duration_seconds_count\{[^}]*operation="head",outcome="ok"[^}]*\} [1-9]/,
    );
  });

  it('can be shown by pages of other origins, and run nothing', async () => {
    const key = newKey();
    const page = '<script>alert(1)</script>';
    await under.storage.put(key, Readable.from([page]), { size: page.length, contentType: 'text/html' });
    const { headers } = await send(await under.storage.signGet(key, HOUR));
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cross-origin-resource-policy')).toBe('cross-origin');
  });
});

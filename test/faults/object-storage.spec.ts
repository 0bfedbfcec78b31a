import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startObjectStorage, type ObjectStorageServer } from '../../local/servers/object-storage.ts';
import { waitFor } from '../../local/wait-for.ts';
import { expectUnavailable } from './expectations.ts';
import { openShop, type Shop } from './shop.ts';

interface Announced {
  id: string;
  upload: { method: string; url: string; headers: Record<string, string> };
}

const PNG = Buffer.from('89504e470d0a1a0a', 'hex');
const FILE = { contentType: 'image/png', size: PNG.length };
/** Far above what anything takes. */
const SOON = 90_000;

describe('the object storage', () => {
  let server: ObjectStorageServer;
  let shop: Shop;

  beforeAll(async () => {
    server = await startObjectStorage();
    const retries = { JOB_ATTEMPTS: '1000', JOB_BACKOFF_MS: '100', JOB_BACKOFF_MAX_MS: '500' };
    shop = await openShop({ env: { ...server.env(), STORAGE_TIMEOUT_MS: '1000', ...retries } });
    await shop.stack.worker();
  });
  afterAll(async () => {
    await shop?.close();
    await server?.stop();
  });

  /** Announces a picture and sends its file. @returns its path */
  const sent = async (): Promise<string> => {
    const { body, headers } = await shop.http.post<Announced>('/v1/pictures', FILE);
    const { url, ...request } = body.upload;
    expect((await fetch(url, { ...request, body: PNG })).status).toBe(200);
    return headers.get('location') as string;
  };
  const confirm = (path: string) => shop.http.post<{ url: string }>(`${path}/confirm`);
  const stored = async (): Promise<{ path: string; url: string }> => {
    const path = await sent();
    const { body } = await waitFor(
      async () => {
        const answer = await confirm(path);
        return answer.status === 200 && answer;
      },
      { within: SOON, what: 'a picture to be stored' },
    );
    return { path, url: body.url };
  };

  it.each([
    { state: 'freezes', breaks: async () => server.freeze(), mends: async () => server.thaw() },
    { state: 'dies', breaks: async () => server.kill(), mends: async () => server.restart() },
  ])(
    '$state: only confirming a picture is rejected, and deleted files go when it is back',
    async ({ breaks, mends }) => {
      const waiting = await sent();
      const kept = await stored();
      const deleted = await stored();
      await breaks();
      try {
        expectUnavailable(await confirm(waiting));
        expect((await shop.http.post('/v1/pictures', FILE)).status).toBe(201);
        expect((await shop.http.get(kept.path)).status).toBe(200);
        expect((await shop.http.delete(deleted.path)).status).toBe(204);
        expect((await shop.order()).status).toBe(201);
        expect((await shop.ready()).status).toBe(200);
      } finally {
        await mends();
      }
      await waitFor(async () => (await confirm(waiting)).status === 200, {
        within: SOON,
        what: 'a confirmation',
      });
      await waitFor(async () => (await fetch(deleted.url)).status === 404, {
        within: SOON,
        what: 'the file to be deleted',
      });
      expect((await fetch(kept.url)).status).toBe(200);
    },
  );
});

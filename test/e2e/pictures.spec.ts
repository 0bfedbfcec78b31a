import { Readable } from 'node:stream';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PicturesService } from '../../src/modules/pictures/pictures.service.js';
import { ObjectStorage } from '../../src/platform/storage/index.js';
import { startObjectStorage, type ObjectStorageServer } from '../../local/servers/object-storage.js';
import { waitFor } from '../../local/wait-for.js';
import { startBackground, type Background } from './background.js';
import { openShop, type Shop } from './shop.ts';
import { newUser, type TestUser } from '../factories/users.ts';

interface Picture {
  id: string;
  status: string;
  url?: string;
  /** Of a problem. */
  code?: string;
}
interface Announced extends Picture {
  path: string;
  upload: { method: string; url: string; headers: Record<string, string>; expiresAt: string };
}

const PNG = Buffer.from('89504e470d0a1a0a', 'hex');
const FILE = { contentType: 'image/png', size: PNG.length };

describe('pictures', () => {
  let server: ObjectStorageServer;
  let shop: Shop;
  let storage: ObjectStorage;
  let background: Background;
  let ada: TestUser;
  let grace: TestUser;

  beforeAll(async () => {
    server = await startObjectStorage();
    shop = await openShop({ ...server.env(), STORAGE_TIMEOUT_MS: '20000' });
    storage = shop.app.get(ObjectStorage, { strict: false });
    background = await startBackground(shop.settings);
    ada = await newUser(shop);
    grace = await newUser(shop);
  });
  afterAll(async () => {
    await background?.stop();
    await shop?.close();
    await server?.stop();
  });

  const announce = async (): Promise<Announced> => {
    const { status, body, headers } = await ada.http.post<Announced>('/v1/pictures', FILE);
    expect(status).toBe(201);
    return { ...body, path: headers.get('location') as string };
  };
  const send = async ({ upload: { method, url, headers } }: Announced, body = PNG): Promise<number> =>
    (await fetch(url, { method, headers, body })).status;
  const confirm = async ({ path }: Announced): Promise<[status: number, state?: string]> => {
    const { status, body } = await ada.http.post<Picture>(`${path}/confirm`);
    return [status, body.code ?? body.status];
  };
  const remove = async ({ path }: Announced) => (await ada.http.delete(path)).status;
  const statusOf = async ({ path }: Announced) => (await ada.http.get(path)).status;
  const hasFile = async ({ id }: Picture) => (await storage.head(`pictures/${id}`)) !== undefined;
  const fileToBeDeleted = (picture: Picture) =>
    waitFor(async () => !(await hasFile(picture)), { within: 60_000, what: 'the file to be deleted' });
  const age = (...pictures: Picture[]) =>
    shop.sql(`UPDATE pictures SET created_at = now() - interval '25 hours' WHERE id = ANY ($1)`, [
      pictures.map(({ id }) => id),
    ]);
  const sweep = () => shop.app.get(PicturesService, { strict: false }).sweep();

  it('are announced, sent to the storage, confirmed, read from there and deleted', async () => {
    const picture = await announce();
    expect(picture).toMatchObject({ ...FILE, status: 'pending' });
    expect(picture.url).toBeUndefined();
    expect(await send(picture)).toBe(200);
    expect(await confirm(picture)).toEqual([200, 'stored']);
    expect(await confirm(picture)).toEqual([200, 'stored']);

    const { body } = await ada.http.get<Picture>(picture.path);
    const file = await fetch(body.url as string);
    expect(file.headers.get('content-type')).toBe('image/png');
    expect(Buffer.from(await file.arrayBuffer())).toEqual(PNG);

    expect(await remove(picture)).toBe(204);
    expect([await statusOf(picture), await remove(picture)]).toEqual([404, 404]);
    expect(await confirm(picture)).toEqual([404, 'picture-not-found']);
    await fileToBeDeleted(picture);
  });

  it('are not kept before their file was sent', async () => {
    expect(await confirm(await announce())).toEqual([409, 'picture-not-sent']);
  });

  it('are not kept when another file was sent than was announced', async () => {
    const picture = await announce();
    expect(await send(picture, Buffer.alloc(PNG.length + 1))).toBe(403);
    const html = { ...picture.upload.headers, 'Content-Type': 'text/html' };
    expect(await send({ ...picture, upload: { ...picture.upload, headers: html } })).toBe(403);
    expect(await confirm(picture)).toEqual([409, 'picture-not-sent']);
  });

  it('are not kept when the storage has only a part of their file', async () => {
    const picture = await announce();
    const part = { ...FILE, size: PNG.length - 1 };
    await storage.put(`pictures/${picture.id}`, Readable.from([PNG.subarray(1)]), part);
    expect(await confirm(picture)).toEqual([409, 'picture-not-sent']);
  });

  it.each([
    { ...FILE, size: 0 },
    { ...FILE, size: 11 * 1024 * 1024 },
    { ...FILE, contentType: 'image/svg+xml' },
    { ...FILE, contentType: 'text/html' },
    { ...FILE, name: '../../etc/passwd' },
  ])('are of known types and limited size: %o', async (file) => {
    expect((await ada.http.post('/v1/pictures', file)).status).toBe(422);
  });

  it('do not exist for other users', async () => {
    const picture = await announce();
    expect(await send(picture)).toBe(200);
    const answers = [
      await grace.http.get<Picture>(picture.path),
      await grace.http.post<Picture>(`${picture.path}/confirm`),
      await grace.http.delete<Picture>(picture.path),
    ];
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual(
      answers.map(() => [404, 'picture-not-found']),
    );
    expect(await confirm(picture)).toEqual([200, 'stored']);
  });

  it('stay deleted when they are deleted while they are being confirmed', async () => {
    const picture = await announce();
    expect(await send(picture)).toBe(200);
    const head = storage.head.bind(storage);
    vi.spyOn(storage, 'head').mockImplementationOnce(async (key) => {
      const found = await head(key);
      expect(await remove(picture)).toBe(204);
      return found;
    });
    expect(await confirm(picture)).toEqual([404, 'picture-not-found']);
    await fileToBeDeleted(picture);
  });

  it('are swept a day later, if nobody has confirmed them', async () => {
    const [forgotten, recent, kept] = [await announce(), await announce(), await announce()];
    for (const picture of [forgotten, recent, kept]) expect(await send(picture)).toBe(200);
    expect(await confirm(kept)).toEqual([200, 'stored']);
    await age(forgotten, kept);
    await sweep();
    expect([await statusOf(forgotten), await statusOf(recent), await statusOf(kept)]).toEqual([
      404, 200, 200,
    ]);
    await fileToBeDeleted(forgotten);
    expect([await hasFile(recent), await hasFile(kept)]).toEqual([true, true]);
  });

  it('are not swept when they are confirmed at that moment', async () => {
    const picture = await announce();
    expect(await send(picture)).toBe(200);
    await age(picture);
    const confirming = new pg.Client(shop.postgres.url());
    await confirming.connect();
    try {
      await confirming.query('BEGIN');
      await confirming.query(`UPDATE pictures SET status = 'stored' WHERE id = $1`, [picture.id]);
      const sweeping = sweep();
      const blocked = 'SELECT 1 FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))';
      await waitFor(async () => (await confirming.query(blocked)).rowCount, { what: 'the sweep to wait' });
      await confirming.query('COMMIT');
      await sweeping;
    } finally {
      await confirming.end();
    }
    expect(await statusOf(picture)).toBe(200);
  });

  it('leave no file behind that is sent after they were deleted', async () => {
    const picture = await announce();
    expect(await send(picture)).toBe(200);
    expect(await remove(picture)).toBe(204);
    await fileToBeDeleted(picture);
    expect(await send(picture)).toBe(200);
    await age(picture);
    await sweep();
    await fileToBeDeleted(picture);
    expect(await shop.sql('SELECT 1 FROM pictures WHERE id = $1', [picture.id])).toEqual([]);
  });
});

import { createHmac, timingSafeEqual } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { newId } from '../context/index.js';
import type { Grant, ObjectInfo, StorageDriver, StoredObject } from './storage-driver.js';

/**
 * Objects in a directory, for development. An object is a folder, named after the key, with one file, named after the type: so both
 * appear at once, by a rename. Signed URLs lead to the api (`serveDisk`).
 */
export class DiskDriver implements StorageDriver {
  /** @param baseUrl of signed URLs; asked for when one is signed */
  constructor(
    private readonly directory: string,
    private readonly secret: string,
    private readonly baseUrl: () => string,
  ) {}

  async put(key: string, body: Readable, info: ObjectInfo, signal: AbortSignal): Promise<void> {
    await this.receive(body, info, signal, async (folder) => {
      await this.delete(key);
      await rename(folder, this.folder(key));
    });
  }

  /** As `put`, but an object that is there stays. @returns whether there was none */
  async create(key: string, body: Readable, info: ObjectInfo, signal: AbortSignal): Promise<boolean> {
    return this.receive(body, info, signal, async (folder) => {
      try {
        await rename(folder, this.folder(key));
        return true;
      } catch (error) {
        if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
        return false;
      }
    });
  }

  async get(key: string): Promise<StoredObject | undefined> {
    const found = await this.find(key);
    return found && { ...found, body: createReadStream(found.path) };
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    const found = await this.find(key);
    return found && { size: found.size, contentType: found.contentType };
  }

  async delete(key: string): Promise<void> {
    await rm(this.folder(key), { recursive: true, force: true });
  }

  sign({ method, key, headers, expiresInSeconds }: Grant): Promise<string> {
    const expires = String(Math.ceil(Date.now() / 1000) + expiresInSeconds);
    const signature = this.signatureOf(method, key, headers, expires);
    return Promise.resolve(`${this.baseUrl()}/${key}?expires=${expires}&signature=${signature}`);
  }

  /** Whether a request is one that `sign` has allowed, as it is, and has not expired. */
  allows(
    { method, key, headers }: Omit<Grant, 'expiresInSeconds'>,
    { expires = '', signature = '' }: { expires?: string; signature?: string },
  ): boolean {
    const expected = Buffer.from(this.signatureOf(method, key, headers, expires));
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
    return Date.now() / 1000 <= Number(expires);
  }

  private signatureOf(method: string, key: string, headers: Record<string, string>, expires: string): string {
    const sorted = Object.entries(headers)
      .map(([name, value]) => `${name.toLowerCase()}:${value}`)
      .toSorted();
    return createHmac('sha256', this.secret)
      .update(JSON.stringify([method, key, expires, sorted]))
      .digest('base64url');
  }

  private async receive<T>(
    body: Readable,
    { size, contentType }: ObjectInfo,
    signal: AbortSignal,
    publish: (folder: string) => Promise<T>,
  ): Promise<T> {
    const folder = join(this.directory, `.${newId()}`);
    await mkdir(folder, { recursive: true });
    try {
      const file = createWriteStream(join(folder, encodeURIComponent(contentType)));
      await pipeline(body, exactly(size), file, { signal });
      return await publish(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  private async find(key: string): Promise<(ObjectInfo & { path: string }) | undefined> {
    try {
      const [name = ''] = await readdir(this.folder(key));
      const path = join(this.folder(key), name);
      return { path, size: (await stat(path)).size, contentType: decodeURIComponent(name) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  private folder(key: string): string {
    return join(this.directory, encodeURIComponent(key));
  }
}

function exactly(size: number): (source: AsyncIterable<Buffer>) => AsyncGenerator<Buffer> {
  return async function* (source) {
    let received = 0;
    for await (const chunk of source) {
      received += chunk.length;
      if (received > size) break;
      yield chunk;
    }
    if (received !== size) throw new Error(`The body has ${received} bytes or more instead of ${size}`);
  };
}

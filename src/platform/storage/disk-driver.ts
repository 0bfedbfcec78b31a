import { createHmac, timingSafeEqual } from 'node:crypto';
import { link, mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { newId } from '../context/index.js';
import type { Grant, ObjectInfo, StorageDriver, StoredObject } from './storage-driver.js';

/** Node's limit for all headers of a request: a type that comes by HTTP is shorter. */
const LONGEST_TYPE_BYTES = 16 * 1024;

/**
 * Objects in a directory, for development. An object is one file, with its type in the first line: so both appear, are replaced
 * and disappear at once, and a reader keeps what it has opened. Signed URLs lead to the api (`serveDisk`).
 */
export class DiskDriver implements StorageDriver {
  /** @param baseUrl of signed URLs; asked for when one is signed */
  constructor(
    private readonly directory: string,
    private readonly secret: string,
    private readonly baseUrl: () => string,
  ) {}

  async put(key: string, body: Readable, info: ObjectInfo, signal: AbortSignal): Promise<void> {
    await this.receive(body, info, signal, (file) => rename(file, this.path(key)));
  }

  /** As `put`, but an object that is there stays. @returns whether there was none */
  async create(key: string, body: Readable, info: ObjectInfo, signal: AbortSignal): Promise<boolean> {
    return this.receive(body, info, signal, async (file) => {
      try {
        await link(file, this.path(key));
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        return false;
      }
    });
  }

  async get(key: string): Promise<StoredObject | undefined> {
    const found = await this.find(key);
    if (!found) return undefined;
    const { file, start, ...info } = found;
    return { ...info, body: file.createReadStream({ start }) };
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    const found = await this.find(key);
    await found?.file.close();
    return found && { size: found.size, contentType: found.contentType };
  }

  async delete(key: string): Promise<void> {
    await rm(this.path(key), { force: true });
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
    publish: (file: string) => Promise<T>,
  ): Promise<T> {
    await mkdir(this.directory, { recursive: true });
    const path = join(this.directory, `.${newId()}`);
    const file = (await open(path, 'wx')).createWriteStream();
    try {
      file.write(`${contentType}\n`);
      await pipeline(body, exactly(size), file, { signal });
      return await publish(path);
    } finally {
      await rm(path, { force: true });
    }
  }

  /** An object, opened. */
  private async find(key: string): Promise<(ObjectInfo & { file: FileHandle; start: number }) | undefined> {
    let file: FileHandle;
    try {
      file = await open(this.path(key));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const { buffer } = await file.read({ buffer: Buffer.alloc(LONGEST_TYPE_BYTES), position: 0 });
    const end = buffer.indexOf('\n');
    const start = end + 1;
    return {
      file,
      start,
      size: (await file.stat()).size - start,
      contentType: buffer.toString('utf8', 0, end),
    };
  }

  /** `~` is in no key. */
  private path(key: string): string {
    return join(this.directory, key.replaceAll('/', '~'));
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

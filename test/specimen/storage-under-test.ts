import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { Gauge, Histogram, Registry } from 'prom-client';
import { loadSettings } from '../../src/config/index.js';
import { CIRCUIT_STATE, Policies } from '../../src/platform/resilience/policies.js';
import { ObjectStorage, StorageModule, StorageSettings } from '../../src/platform/storage/index.js';
import { STORAGE_DURATION } from '../../src/platform/storage/object-storage.js';
import { S3Driver } from '../../src/platform/storage/s3-driver.js';
import { startProduct } from '../e2e/product-under-test.js';
import { startObjectStorage, type ObjectStorageServer } from '../../local/servers/object-storage.js';
import { privateDirectory } from '../../local/servers/private-directory.js';
import { createTables } from './create-tables.js';
import { PRODUCT as FEATURES } from './product.modules.js';
import { PRODUCT } from './product.js';

export interface StorageUnderTest {
  storage: ObjectStorage;
  stop(): Promise<void>;
}

const product = { ...PRODUCT, settings: { ...PRODUCT.settings, storage: StorageSettings } };

/** On the disk of an api that serves signed URLs. @param env settings */
export async function startDiskStorage(
  env: Record<string, string> = {},
): Promise<StorageUnderTest & { directory: string }> {
  const directory = await privateDirectory('objects');
  const started = await startProduct(
    // Large files may take their time on a busy machine.
    { STORAGE_DIRECTORY: directory.path, HTTP_ARRIVAL_TIMEOUT_MS: '600000', ...env },
    { product, features: [...FEATURES, StorageModule], migrate: createTables },
  );
  return {
    storage: started.api.get(ObjectStorage, { strict: false }),
    directory: directory.path,
    stop: async () => {
      await started.stop();
      await directory.remove();
    },
  };
}

/** In a server that speaks S3. */
export async function startS3Storage(): Promise<StorageUnderTest> {
  const server = await startObjectStorage();
  return { storage: s3Storage(server), stop: () => server.stop() };
}

/** A client of such a server. @param port of a proxy before it */
export function s3Storage(
  server: ObjectStorageServer,
  { port, ...env }: { port?: number } & Record<string, string | number> = {},
): ObjectStorage {
  const settings = loadSettings(
    { STORAGE_TIMEOUT_MS: '60000', ...server.env(port), ...(env as Record<string, string>) },
    product,
  );
  const registers = [new Registry()];
  const gauge = new Gauge({ name: CIRCUIT_STATE, help: 'x', labelNames: ['dependency'], registers });
  const duration = new Histogram({
    name: STORAGE_DURATION,
    help: 'x',
    labelNames: ['operation', 'outcome'],
    registers,
  });
  const driver = new S3Driver(settings.storage.url as string, settings.storage);
  return new ObjectStorage(settings, driver, duration, new Policies(settings, gauge));
}

export const newKey = (): string => `things/${randomUUID()}`;

/** A body of so many bytes that is made piece by piece. */
export function bodyOf(size: number, piece = 65_536): Readable {
  const chunk = Buffer.alloc(piece, 'x');
  return Readable.from(
    (function* () {
      for (let left = size; left > 0; left -= piece) yield left < piece ? chunk.subarray(0, left) : chunk;
    })(),
    { objectMode: false },
  );
}

export async function sizeOf(body: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const { length } of body) size += length;
  return size;
}

import type { AddressInfo, Server } from 'node:net';
import { Inject, Module, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { makeHistogramProvider } from '@willsoto/nestjs-prometheus';
import { Settings } from '../../config/index.js';
import { DiskDriver } from './disk-driver.js';
import { ObjectStorage, STORAGE_DURATION } from './object-storage.js';
import { S3Driver } from './s3-driver.js';
import { DISK_PATH, serveDisk } from './serve-disk.js';
import { STORAGE_DRIVER, type StorageDriver } from './storage-driver.js';

type Host = HttpAdapterHost<FastifyAdapter>;

/** Files in an object storage, for the features that import it. */
@Module({
  providers: [
    ObjectStorage,
    {
      provide: STORAGE_DRIVER,
      inject: [Settings, HttpAdapterHost],
      useFactory: ({ storage }: Settings, host: Host): StorageDriver => {
        const { url, directory, secretAccessKey, publicUrl } = storage;
        if (url !== undefined) return new S3Driver(url, storage);
        return new DiskDriver(directory, secretAccessKey, () => publicUrl ?? addressOf(host));
      },
    },
    makeHistogramProvider({
      name: STORAGE_DURATION,
      help: 'Duration of requests to the object storage by operation and outcome (ok, error).',
      labelNames: ['operation', 'outcome'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    }),
  ],
  exports: [ObjectStorage],
})
export class StorageModule implements OnModuleInit {
  constructor(
    @Inject(STORAGE_DRIVER) private readonly driver: StorageDriver,
    @Inject(HttpAdapterHost) private readonly host: Host,
  ) {}

  /** The worker has no address to which a signed URL could lead. */
  onModuleInit(): void {
    if (this.driver instanceof DiskDriver && this.host.httpAdapter) {
      serveDisk(this.host.httpAdapter.getInstance(), this.driver);
    }
  }
}

function addressOf({ httpAdapter }: Host): string {
  const address = (httpAdapter?.getHttpServer() as Server | undefined)?.address() as AddressInfo | null;
  if (!address) throw new Error('Only a process that serves requests can sign URLs of files on its disk');
  return `http://127.0.0.1:${address.port}${DISK_PATH}`;
}

import type { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { InjectMetric } from '@willsoto/nestjs-prometheus';
import type { Histogram } from 'prom-client';
import { Settings } from '../../config/index.js';
import { Policies, type Dependency } from '../resilience/index.js';
import { STORAGE_DRIVER, type ObjectInfo, type StorageDriver, type StoredObject } from './storage-driver.js';

export const STORAGE_DURATION = 'object_storage_request_duration_seconds';

/** The slowest connection to the storage on which a file is still sent: 1 MiB per second. */
const SLOWEST_BYTES_PER_MS = 1024 * 1.024;
/** Safe in URLs, paths and file names: no dot at the beginning of a part, no empty part. */
const KEY = /^(?!.{201})\w[\w.-]*(?:\/\w[\w.-]*)*$/;

/** A request that a client may make until it expires. */
export interface SignedRequest {
  method: 'GET' | 'PUT';
  url: string;
  /** The client has to send these. */
  headers: Record<string, string>;
  expiresAt: Date;
}

/**
 * Files in an object storage (docs/how-to/file-uploads.md). Bytes are streamed: neither a file nor a large part of it is ever in
 * memory. Clients send and read files by signed URLs, past this process; signing asks nobody, so it works while the storage is
 * down.
 *
 * Keys are made by features, such as `things/<id>`, never from what a client sends.
 */
@Injectable()
export class ObjectStorage {
  private readonly storage: Dependency;

  constructor(
    @Inject(Settings) { storage: { timeoutMs } }: Settings,
    @Inject(STORAGE_DRIVER) private readonly driver: StorageDriver,
    @InjectMetric(STORAGE_DURATION) private readonly duration: Histogram,
    policies: Policies,
  ) {
    this.storage = policies.define('object-storage', {
      timeoutMs,
      concurrency: 32,
      breaker: { size: 10, minimumCalls: 5 },
      reopenAfterMs: 2000,
    });
  }

  /**
   * Stores an object; one that has the key already is replaced. The body is read to its end, or destroyed.
   * @throws Error when the body does not have the size; TransientError when the storage does not answer
   */
  async put(key: string, body: Readable, info: ObjectInfo): Promise<void> {
    const withinMs = this.storage.policy.timeoutMs + info.size / SLOWEST_BYTES_PER_MS;
    try {
      await this.call('put', (signal) => this.driver.put(checked(key), body, info, signal), withinMs);
    } finally {
      body.destroy();
    }
  }

  /**
   * Reads an object, as fast as its body is read; undefined when there is none. Destroy the body if you do not read all of it.
   * @throws TransientError when the storage does not answer
   */
  get(key: string): Promise<StoredObject | undefined> {
    return this.call('get', (signal) => this.driver.get(checked(key), signal));
  }

  /** Size and type of an object; undefined when there is none. @throws TransientError when the storage does not answer */
  head(key: string): Promise<ObjectInfo | undefined> {
    return this.call('head', (signal) => this.driver.head(checked(key), signal));
  }

  /** Deletes an object, if there is one. @throws TransientError when the storage does not answer */
  delete(key: string): Promise<void> {
    return this.call('delete', (signal) => this.driver.delete(checked(key), signal));
  }

  /**
   * Lets a client send exactly so many bytes of this type, once: size and type are part of the signature, and so is the
   * condition that there is no such object yet.
   */
  async signPut(
    key: string,
    { size, contentType }: ObjectInfo,
    expiresInSeconds: number,
  ): Promise<SignedRequest> {
    const headers = { 'Content-Type': contentType, 'If-None-Match': '*' };
    const signed = { ...headers, 'Content-Length': String(size) };
    return { ...(await this.sign('PUT', key, signed, expiresInSeconds)), headers };
  }

  /** Lets a client read an object. */
  signGet(key: string, expiresInSeconds: number): Promise<SignedRequest> {
    return this.sign('GET', key, {}, expiresInSeconds);
  }

  private async sign(
    method: SignedRequest['method'],
    key: string,
    headers: Record<string, string>,
    expiresInSeconds: number,
  ): Promise<SignedRequest> {
    const expiresAt = new Date(Date.now() + expiresInSeconds * 1000);
    const url = await this.driver.sign({ method, key: checked(key), headers, expiresInSeconds });
    return { method, url, headers, expiresAt };
  }

  private async call<T>(
    operation: string,
    work: (signal: AbortSignal) => Promise<T>,
    withinMs?: number,
  ): Promise<T> {
    const end = this.duration.startTimer({ operation });
    try {
      const result = await this.storage.execute(({ signal }) => work(signal), withinMs);
      end({ outcome: 'ok' });
      return result;
    } catch (error) {
      end({ outcome: 'error' });
      throw error;
    }
  }
}

function checked(key: string): string {
  if (!KEY.test(key)) throw new Error(`Not a key of an object: ${key}`);
  return key;
}

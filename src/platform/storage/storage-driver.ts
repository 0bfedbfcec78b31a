import type { Readable } from 'node:stream';

/** What is known of an object besides its bytes. */
export interface ObjectInfo {
  /** In bytes. */
  size: number;
  contentType: string;
}

/** An object that is being read. */
export interface StoredObject extends ObjectInfo {
  body: Readable;
}

/** What a signed URL allows. */
export interface Grant {
  method: 'GET' | 'PUT';
  key: string;
  /** Headers that the request must have, with these values. */
  headers: Record<string, string>;
  expiresInSeconds: number;
}

/** A kind of storage. `ObjectStorage` adds limits and metrics. Signals are aborted when a call has taken too long. */
export interface StorageDriver {
  put(key: string, body: Readable, info: ObjectInfo, signal: AbortSignal): Promise<void>;
  /** The signal is about the beginning of the answer; a body that stalls ends with an error. */
  get(key: string, signal: AbortSignal): Promise<StoredObject | undefined>;
  head(key: string, signal: AbortSignal): Promise<ObjectInfo | undefined>;
  delete(key: string, signal: AbortSignal): Promise<void>;
  /** @returns the URL */
  sign(grant: Grant): Promise<string>;
}

/** The token of the driver that the settings choose. */
export const STORAGE_DRIVER = Symbol('storage-driver');

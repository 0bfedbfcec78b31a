import { Readable } from 'node:stream';
import { Logger } from '@nestjs/common';
import { TransientError } from '../errors/index.js';
import { within } from '../runtime/index.js';
import type { Grant, ObjectInfo, StorageDriver, StoredObject } from './storage-driver.js';
import type { StorageSettings } from './storage.settings.js';

interface Call {
  signal: AbortSignal;
  headers?: Record<string, string>;
  body?: Readable;
}

/** A bucket of an S3-compatible object storage. Requests are signed by Signature Version 4 (docs/decisions/0018-object-storage.md). */
export class S3Driver implements StorageDriver {
  private readonly logger = new Logger(S3Driver.name);

  constructor(
    private readonly url: string,
    private readonly settings: StorageSettings,
  ) {}

  async put(key: string, body: Readable, info: ObjectInfo, signal: AbortSignal): Promise<void> {
    const headers = { 'Content-Type': info.contentType, 'Content-Length': String(info.size) };
    try {
      const response = await this.send('PUT', key, { headers, body, signal });
      await response.body?.cancel();
    } catch (error) {
      // undici hides the reason in the cause, and ends the body for its own reasons, too.
      const { code } = (((error as Error).cause as Error | undefined)?.cause as { code?: string }) ?? {};
      if (code !== 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH') throw body.errored ?? error;
      throw new Error(`The body has another length instead of ${info.size}`, { cause: error });
    }
  }

  async get(key: string, signal: AbortSignal): Promise<StoredObject | undefined> {
    const response = await this.send('GET', key, { signal });
    const reader = response.body!.getReader();
    const cancel = () => reader.cancel().catch(() => undefined);
    if (response.status === 404) {
      await cancel();
      return undefined;
    }
    const body = Readable.from(this.piecesOf(reader), { objectMode: false });
    // Also when nothing of it was read, or not all.
    body.once('close', () => void cancel());
    return { ...infoOf(response), body };
  }

  async head(key: string, signal: AbortSignal): Promise<ObjectInfo | undefined> {
    const response = await this.send('HEAD', key, { signal });
    return response.status === 404 ? undefined : infoOf(response);
  }

  async delete(key: string, signal: AbortSignal): Promise<void> {
    const response = await this.send('DELETE', key, { signal });
    await response.body?.cancel();
  }

  async sign({ method, key, headers, expiresInSeconds }: Grant): Promise<string> {
    const url = objectUrl(this.settings.publicUrl ?? this.url, key);
    url.searchParams.set('X-Amz-Expires', String(expiresInSeconds));
    const signed = await this.signed(method, url, headers, { signQuery: true, allHeaders: true });
    return signed.url.href;
  }

  private async send(method: string, key: string, { headers, body, signal }: Call): Promise<Response> {
    const signed = await this.signed(method, objectUrl(this.url, key), headers);
    // Not signed, because proxies change it.
    signed.headers.set('Accept-Encoding', 'identity');
    let response: Response;
    try {
      const init = { method, headers: signed.headers, body, duplex: 'half', redirect: 'manual', signal };
      response = await fetch(signed.url, init as unknown as RequestInit);
    } catch (error) {
      throw noAnswer(error);
    }
    const isReading = method === 'GET' || method === 'HEAD';
    if (response.ok || (response.status === 404 && isReading)) return response;
    throw await this.refused(response);
  }

  /** Loaded with the first request: a process that uses no storage does not pay for it. */
  private async signed(
    method: string,
    url: URL,
    headers: Record<string, string> | undefined,
    how: { signQuery?: boolean; allHeaders?: boolean } = {},
  ): Promise<{ url: URL; headers: Headers }> {
    const { AwsV4Signer } = await import('aws4fetch');
    const { accessKeyId, secretAccessKey, region } = this.settings;
    const account = { service: 's3', accessKeyId, secretAccessKey, region };
    return new AwsV4Signer({ ...account, ...how, method, url: url.href, headers }).sign();
  }

  private async refused(response: Response): Promise<Error> {
    const { status } = response;
    const [, code = ''] = /<Code>(\w{1,60})<\/Code>/.exec(await response.text()) ?? [];
    if (status < 500 && status !== 429)
      this.logger.error(
        { status, code },
        'The object storage rejects our request; check the STORAGE_ settings',
      );
    return new TransientError({
      /** The object storage could not serve the request. Retry with backoff. */
      code: 'object-storage-failed',
      detail: 'The object storage could not serve the request. Retry later.',
      cause: new Error(`status ${status} ${code}`),
    });
  }

  private async *piecesOf(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<Uint8Array> {
    for (;;) {
      const reading = reader.read().catch((error: unknown) => {
        throw noAnswer(error);
      });
      const { done, value } = await within(this.settings.timeoutMs, reading, () => noAnswer());
      if (done) return;
      yield value;
    }
  }
}

function objectUrl(bucket: string, key: string): URL {
  const url = new URL(bucket);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${key}`;
  return url;
}

function infoOf({ headers }: Response): ObjectInfo {
  return {
    size: Number(headers.get('content-length')),
    contentType: headers.get('content-type') ?? 'application/octet-stream',
  };
}

function noAnswer(cause?: unknown): TransientError {
  return new TransientError({
    /** The object storage cannot be reached, or has stopped answering. Retry with backoff. */
    code: 'object-storage-silent',
    detail: 'The object storage has not answered. Retry later.',
    cause,
  });
}

import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { BusinessRuleError, ClientError } from '../errors/index.js';
import type { DiskDriver } from './disk-driver.js';
import type { Grant } from './storage-driver.js';

/** Where signed URLs of `DiskDriver` lead, below the address of the api. */
export const DISK_PATH = '/storage';

/** The signed URLs of an object storage, served by the api from its disk: bodies of any type, which are never in memory. */
export function serveDisk(fastify: FastifyInstance, disk: DiskDriver): void {
  void fastify.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload));
    const config = { priority: 'low' } as const;

    scope.put(`${DISK_PATH}/*`, { config }, async (request, reply) => {
      const { 'content-type': contentType = '', 'content-length': size = '' } = request.headers;
      const headers = {
        'content-type': contentType,
        'content-length': size,
        'if-none-match': request.headers['if-none-match'] ?? '',
      };
      const key = allowedKey(disk, request, 'PUT', headers);
      const info = { size: Number(size), contentType };
      // The body of a client that stalls ends with neither data nor an error: only its connection is closed.
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const arriving = disk.create(key, request.body as Readable, info, gone.signal);
      const created = await arriving.catch((error: unknown) => {
        throw request.raw.complete ? error : interrupted(error);
      });
      if (!created) throw alreadyThere();
      return reply.send();
    });

    scope.get(`${DISK_PATH}/*`, { config }, async (request, reply) => {
      const found = await disk.get(allowedKey(disk, request, 'GET'));
      if (!found)
        throw new ClientError({ status: 404, code: 'not-found', detail: 'There is no such object.' });
      // Pages of other origins may show it, as they may what is in a bucket.
      reply.header('Cross-Origin-Resource-Policy', 'cross-origin');
      return reply
        .header('Content-Type', found.contentType)
        .header('Content-Length', found.size)
        .send(found.body);
    });
    done();
  });
}

function allowedKey(
  disk: DiskDriver,
  request: FastifyRequest,
  method: Grant['method'],
  headers: Record<string, string> = {},
): string {
  const { '*': key = '' } = request.params as Record<string, string>;
  const { expires, signature } = request.query as Record<string, unknown>;
  if (disk.allows({ method, key, headers }, { expires: String(expires), signature: String(signature) }))
    return key;
  throw new ClientError({
    status: 403,
    code: 'forbidden',
    detail:
      'The signed URL has expired, or the request is not the one that was signed: method, size or type.',
  });
}

function interrupted(cause: unknown): ClientError {
  return new ClientError({
    status: 408,
    code: 'request-timeout',
    detail: 'The body did not arrive completely.',
    cause,
  });
}

function alreadyThere(): BusinessRuleError {
  return new BusinessRuleError({
    status: 412,
    /** The signed URL was used before: its object exists, and stays as it is. Ask for a new URL to send another file. */
    code: 'object-exists',
    detail: 'The object exists already.',
  });
}

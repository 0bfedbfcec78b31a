import type { ServerResponse } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import { createGzip, gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Members } from '../../fast/index.js';
import { routeOptions } from '../routes/route-options.js';
import { acceptsGzip } from './accepts-gzip.js';
import { gzippedTag, tagsOf } from './entity-tags.js';
import { varyBy } from './vary.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    compressed?: boolean;
  }
}

/**
 * Compresses the answers of a route for clients that take gzip: for lists, documents and other large bodies. Never for an answer
 * with a secret in it (a token, a code): an attacker who can place text beside a secret learns it from the length (BREACH,
 * CVE-2013-3587). So no route compresses its answers unless it asks for it.
 */
export const Compressed = () => routeOptions({ compressed: true });

/** Below this a gzipped body takes as many packets. */
const SMALLEST_BYTES = 1024;

/** Half the time of zlib's default, 6, for a body that is a few per cent larger. */
const LEVEL = 4;

/**
 * Has a route compress its answers, by a hook of this route alone: others pay nothing. Not @fastify/compress: it takes each whole
 * body through a stream, also for HEAD and 304, leaves strong entity tags as they are, and knows nothing of requests in flight.
 */
export function compressAnswers(route: RouteOptions, inFlight: Members<ServerResponse>): void {
  const compress: Extract<RouteOptions['onSend'], (...all: never[]) => void> = (
    request,
    reply,
    payload,
    done,
  ) => {
    varyBy(reply, 'Accept-Encoding');
    if (reply.statusCode === 304) keepTag(request, reply);
    if (!isWanted(request, reply, payload)) return done(null, payload);
    // The headers of GET, without a length: to know it, the body would have to be compressed.
    if (request.method === 'HEAD') return done(null, compressedAs(reply, new ReadableStream()));
    // Errors are Fastify's, which sees them on what it sends. Either end closes the other, so a client may leave.
    if (payload instanceof Readable) {
      const compressed = pipeline(payload, createGzip({ level: LEVEL }), () => undefined);
      return done(null, compressedAs(reply, compressed));
    }
    // On a thread of libuv. Until it is done the request is in flight: the server must see that it has work.
    inFlight.add(reply.raw);
    gzip(payload as string | Buffer, { level: LEVEL }, (error, compressed) => {
      inFlight.delete(reply.raw);
      done(null, error ? payload : compressedAs(reply, compressed));
    });
  };
  // Before the hook of a HEAD route that takes the body away.
  route.onSend = [compress, ...[route.onSend ?? []].flat()];
}

function compressedAs<T>(reply: FastifyReply, body: T): T {
  reply.header('Content-Encoding', 'gzip').removeHeader('Content-Length');
  const tag = reply.getHeader('ETag');
  if (typeof tag === 'string') void reply.header('ETag', gzippedTag(tag));
  return body;
}

function isWanted({ headers, method }: FastifyRequest, reply: FastifyReply, payload: unknown): boolean {
  if (reply.hasHeader('Content-Encoding') || reply.hasHeader('Content-Range')) return false;
  if (reply.statusCode === 304 || !acceptsGzip(headers['accept-encoding'])) return false;
  if (typeof payload === 'string' || Buffer.isBuffer(payload))
    return Buffer.byteLength(payload) >= SMALLEST_BYTES;
  // An answer to HEAD whose body would be a stream has lost it by now.
  return payload instanceof Readable || (method === 'HEAD' && payload instanceof ReadableStream);
}

/** A 304 has the tag of the answer that the client has (RFC 9110 section 15.4.5), which may be the compressed one. */
function keepTag({ headers }: FastifyRequest, reply: FastifyReply): void {
  const tag = gzippedTag(String(reply.getHeader('ETag')));
  if (tagsOf(headers['if-none-match'] ?? '').includes(tag)) reply.header('ETag', tag);
}

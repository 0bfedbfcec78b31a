import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';

/** Headers of answers that scripts of other origins may read, besides those that they always may (Fetch, section 2.2.2). */
const EXPOSED = [
  'Allow',
  'Cache-Status',
  'Content-Disposition',
  'Content-Length',
  'Deprecation',
  'ETag',
  'Idempotency-Replayed',
  'Link',
  'Location',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'Sunset',
  'WWW-Authenticate',
  'X-Request-Id',
].join(', ');

/** The request headers that every answer depends on. */
const VARY = 'Origin';

/** How long a browser may cache a preflight; Chromium honours no more. */
const MAX_AGE_SECONDS = 7200;

/** The names of headers, as a browser lists them; an answer must repeat nothing else. */
const HEADER_NAMES = /^[\w!#$%&'*+.^`|~, -]+$/;

/**
 * Cross-origin resource sharing: lets scripts of some origins call the api. Not @fastify/cors, which marks only answers that pass
 * Fastify's hooks: a script must be able to read the status and `Retry-After` of a request that was shed, too. Its route for
 * preflights also makes every path exist. The api does not use cookies, so credentials stay off.
 */
export class Cors {
  private readonly origins: ReadonlySet<string>;

  /** @param origins the allowed origins, such as `https://app.example` */
  constructor(origins: string[]) {
    this.origins = new Set(origins);
  }

  /** Headers of an answer to bytes of unknown origin; such an answer holds no one's data. */
  get ofMalformed(): Record<string, string> {
    if (this.origins.size === 0) return {};
    return { 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': EXPOSED };
  }

  /** Marks an answer before it is created. */
  mark(request: IncomingMessage, response: ServerResponse): void {
    if (this.origins.size === 0) return;
    response.setHeader('Vary', VARY);
    const { origin } = request.headers;
    if (origin === undefined || !this.origins.has(origin)) return;
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Access-Control-Expose-Headers', EXPOSED);
  }

  /** Answers preflights, also for paths that do not exist: the request itself then gets the 404. */
  install(fastify: FastifyInstance): void {
    if (this.origins.size === 0) return;
    fastify.addHook('onRequest', (request, reply, done) => {
      if (!isPreflight(request.raw) || !this.origins.has(request.headers.origin ?? '')) return done();
      const allowed = fastify.routeTable.allowed(request.url.split('?', 1)[0] ?? '/');
      const asked = request.headers['access-control-request-method'];
      void reply.headers({
        'Access-Control-Allow-Methods': (allowed.length > 0 ? allowed : [asked]).join(', '),
        'Access-Control-Max-Age': MAX_AGE_SECONDS,
      });
      const headers = request.headers['access-control-request-headers'];
      if (headers !== undefined && HEADER_NAMES.test(headers))
        void reply.header('Access-Control-Allow-Headers', headers);
      void reply.code(204).send();
    });
    // A route's own `Vary` would replace the one that `mark` has set.
    fastify.addHook('onSend', (_request, reply, payload, done) => {
      const vary = String(reply.getHeader('Vary'));
      if (!vary.split(', ').includes(VARY)) void reply.header('Vary', `${vary}, ${VARY}`);
      done(null, payload);
    });
  }
}

/** Whether the request is a browser's preflight (Fetch, section 3.2.2, "CORS-preflight request"). */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined
  );
}

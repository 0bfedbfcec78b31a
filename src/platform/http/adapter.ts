import type { IncomingMessage, RequestListener } from 'node:http';
import { Readable } from 'node:stream';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { HttpSettings } from '../../config/sections/http.settings.js';
import { ClientError } from '../errors/index.js';
import type { Connections } from './connections/connections.js';
import { Exchange } from './connections/exchange.js';
import type { InFlight } from './admission/in-flight.js';
import { compressAnswers } from './headers/compression.js';
import { Cors } from './headers/cors.js';
import type { LoadShedder } from './admission/load-shedder.js';
import { negotiate } from './headers/content-negotiation.js';
import { SECURITY_HEADERS } from './headers/security-headers.js';
import { parseJsonOnly } from './input/json-body.js';
import { sendProblem } from './problems/problem.filter.js';
import { createPublicServer } from './connections/public-server.js';
import { RawResponses } from './connections/raw-responses.js';
import { newId, RequestContext } from '../context/index.js';
import { RouteTable } from './routes/route-table.js';

/** An `X-Request-Id` must match this to be used; anything else could forge log lines. */
const REQUEST_ID = /^[\w.:-]{8,128}$/;

declare module 'fastify' {
  interface FastifyInstance {
    routeTable: RouteTable;
    /** Of the public port. */
    connections: Connections;
    inFlight: InFlight;
  }
}

/** The Fastify adapter of the public application, with everything that happens before Nest sees a request. */
export function createHttpAdapter(
  settings: HttpSettings,
  { connections, inFlight, shedder }: { connections: Connections; inFlight: InFlight; shedder: LoadShedder },
): FastifyAdapter {
  const cors = new Cors(settings.corsOrigins);
  const raw = new RawResponses(connections, cors);
  const adapter = new FastifyAdapter({
    logger: false,
    skipMiddie: true,
    bodyLimit: settings.bodyLimitBytes,
    trustProxy: settings.trustProxy.length > 0 ? settings.trustProxy : false,
    requestIdHeader: false,
    genReqId: (request: IncomingMessage) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : newId();
    },
    // The lifecycle does the draining: Fastify would answer every request on a closing server with 503.
    return503OnClosing: false,
    // The router rejects some URLs before any hook has run.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
      sendProblem(request, reply, error),
    clientErrorHandler: raw.malformed,
    serverFactory: (serve: RequestListener) =>
      createPublicServer(settings, { connections, shedder, cors, raw }, serve),
  });
  const fastify: FastifyInstance = adapter.getInstance();
  fastify.decorate('routeTable', new RouteTable());
  fastify.decorate('connections', connections);
  fastify.decorate('inFlight', inFlight);
  fastify.decorateRequest('context', null as never);
  fastify.decorateRequest('caller', undefined);
  fastify.decorateRequest('rawBody', undefined);
  fastify.decorateRequest('failure', undefined);
  fastify.decorateRequest('deprecated', false);

  fastify.addHook('onRoute', (route) => {
    fastify.routeTable.add(route);
    shedder.learn(route);
    if (settings.compressionEnabled && route.config?.compressed) compressAnswers(route, inFlight);
  });
  fastify.addHook('onClose', (_instance, done) => {
    shedder.close();
    done();
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    const context = new RequestContext(request.id, settings.requestTimeoutMs);
    context.acceptLanguage = request.headers['accept-language'];
    request.context = context;
    Exchange.of(reply.raw)?.reached(request);
    reply.headers(SECURITY_HEADERS).header('X-Request-Id', request.id).header('Cache-Control', 'no-store');
    context.run(() => done(hostProblem(request) ?? negotiate(request)));
  });
  cors.install(fastify);
  // The body has arrived and been parsed, or there is none.
  fastify.addHook('preValidation', (request, reply, done) => {
    done(shedder.start(request.raw, reply.raw));
  });
  // The handler has answered; a slow reader must not hold the slot.
  fastify.addHook('onSend', (request, reply, payload, done) => {
    inFlight.delete(reply.raw);
    done(null, request.method === 'HEAD' ? unread(payload, reply.statusCode) : payload);
  });
  connections.on('end', ({ response, request }) => {
    inFlight.delete(response);
    // Fastify's hook (`onRequestAbort`) never fires once the body has been read: it depends on the end of the request.
    if (!response.writableFinished) request?.context?.abort('The client disconnected before the answer.');
  });
  parseJsonOnly(fastify);
  return adapter;
}

/**
 * The body that a HEAD route would send. Fastify reads a stream to its end, which nothing can cancel and which is not counted as
 * in flight. It does cancel a web stream, so an empty one takes its place.
 */
function unread(payload: unknown, status: number): unknown {
  // Without a body Fastify sends `Content-Length: 0`, which is not that of a GET (RFC 9110 section 8.6).
  if (status === 304) return new ReadableStream();
  if (!(payload instanceof Readable)) return payload;
  payload.on('error', () => undefined).destroy();
  return new ReadableStream();
}

/** `uri-host [ ":" port ]` (RFC 9110 section 7.2), as far as it matters here: only the characters of a host. */
const HOST = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/i;

/** RFC 9112 section 3.2: a request of HTTP/1.1 without a Host, or any with two or an invalid one, must be answered 400. */
function hostProblem({ raw: { rawHeaders, headers, httpVersion } }: FastifyRequest): ClientError | undefined {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  if (hosts === 1 && HOST.test(headers.host as string)) return undefined;
  if (hosts === 0 && httpVersion === '1.0') return undefined;
  const found = hosts === 0 ? 'no' : hosts === 1 ? 'an invalid' : 'more than one';
  return new ClientError({
    status: 400,
    code: 'malformed-request',
    detail: `The request has ${found} Host header.`,
  });
}

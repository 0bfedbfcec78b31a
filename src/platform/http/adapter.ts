import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { HttpSettings } from '../../config/sections/http.settings.js';
import { ClientError } from '../errors/index.js';
import type { InFlight } from './in-flight.js';
import { BatchedResponse } from './batched-response.js';
import { withoutForwardedPorts } from './client-address.js';
import { Cors } from './cors.js';
import { LoadShedder } from './load-shedder.js';
import { negotiate } from './content-negotiation.js';
import { parseJsonOnly } from './json-body.js';
import { problemDocument, PROBLEM_CONTENT_TYPE } from './problem.js';
import { sendProblem } from './problem.filter.js';
import { newId, RequestContext } from '../context/index.js';
import { atEndOfTurn } from '../runtime/index.js';
import { RouteTable } from './route-table.js';

/** What an `X-Request-Id` must look like to be taken over; anything else could forge log lines. */
const REQUEST_ID = /^[\w.:-]{8,128}$/;

/** Longer than the idle timeouts of common load balancers (60 s), so that they, not we, close an idle connection first. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;

/** A request that has not arrived whole by then is answered 408: nobody holds a connection by sending slowly. */
const ARRIVAL_TIMEOUT_MS = 30_000;

declare module 'fastify' {
  interface FastifyInstance {
    routeTable: RouteTable;
    /** The requests that the public port is working on. */
    inFlight: InFlight;
  }
}

/** The Fastify adapter of the public application, with everything that happens before Nest sees a request. */
export function createHttpAdapter(
  settings: HttpSettings,
  inFlight: InFlight,
  shedder: LoadShedder,
): FastifyAdapter {
  const cors = new Cors(settings.corsOrigins);
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
    // Draining is the lifecycle's business: Fastify's own answer to a closing server is a 503 to everybody.
    return503OnClosing: false,
    // The router refuses some URLs before any hook has run.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
      sendProblem(request, reply, error),
    clientErrorHandler: (error, socket) => refuseMalformedHttp(error, socket, cors),
    serverFactory: (serve: RequestListener) => {
      const admit: RequestListener = (request, response) => {
        if (settings.trustProxy.length > 0) withoutForwardedPorts(request);
        cors.mark(request, response);
        if (shedder.admit(request, response)) serve(request, response);
      };
      const options = {
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
        requestTimeout: ARRIVAL_TIMEOUT_MS,
        requireHostHeader: false,
        ServerResponse: BatchedResponse as typeof ServerResponse,
      };
      // Node would answer these two itself, without a body: a missing Host (see `withoutHost`), and an `Expect` it does
      // not know, which a server may leave unheard (RFC 9110 section 10.1.1).
      return createServer(options, admit).on('checkExpectation', admit);
    },
  });
  const fastify: FastifyInstance = adapter.getInstance();
  fastify.decorate('routeTable', new RouteTable());
  fastify.decorate('inFlight', inFlight);
  fastify.decorateRequest('context', null as never);
  fastify.decorateRequest('caller', undefined);
  fastify.decorateRequest('rawBody', undefined);
  fastify.decorateRequest('failure', undefined);

  fastify.addHook('onRoute', (route) => {
    fastify.routeTable.add(route);
    shedder.learn(route);
  });
  fastify.addHook('onClose', (_instance, done) => {
    shedder.close();
    done();
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    const context = new RequestContext(request.id, Date.now() + settings.requestTimeoutMs);
    request.context = context;
    reply.header('X-Request-Id', request.id).header('Cache-Control', 'no-store');
    context.run(() => done(withoutHost(request) ?? negotiate(request)));
  });
  cors.install(fastify);
  // The body has arrived and been parsed, or there is none.
  fastify.addHook('preValidation', (request, reply, done) => {
    done(shedder.start(request.raw, reply.raw));
  });
  // The handler has answered; how fast the client reads is its own business.
  fastify.addHook('onSend', (request, reply, payload, done) => {
    inFlight.free(reply.raw);
    done(null, request.method === 'HEAD' ? unread(payload) : payload);
  });
  fastify.addHook('onRequestAbort', (request, done) => {
    request.context?.abort('The client went away before the answer.');
    done();
  });
  parseJsonOnly(fastify);
  return adapter;
}

/**
 * What a HEAD route would send. Fastify reads a stream to its end then: nobody could cancel that, nor is it counted as in flight. A web
 * stream is what it cancels; its place is taken by an empty one.
 */
function unread(payload: unknown): unknown {
  if (!(payload instanceof Readable)) return payload;
  payload.on('error', () => undefined).destroy();
  return new ReadableStream();
}

/** RFC 9112 section 3.2: a request of HTTP/1.1 without a Host is to be answered 400. */
function withoutHost({ raw, headers }: FastifyRequest): ClientError | undefined {
  if (headers.host !== undefined || raw.httpVersion === '1.0') return undefined;
  return new ClientError({
    status: 400,
    code: 'malformed-request',
    detail: 'The request has no Host header.',
  });
}

/** Bytes that are not HTTP get a problem document as well, written by hand: there is no request to reply to. */
function refuseMalformedHttp(error: Error & { code?: string }, socket: Socket, cors: Cors): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy(error);
    return;
  }
  // An answer that is on its way, of a request before this one or of its own head, must not have another in its midst. It
  // leaves at the end of this turn.
  const { _httpMessage: answering } = socket as Socket & { _httpMessage?: ServerResponse | null };
  if (answering?.headersSent || answering?.writableEnded) {
    atEndOfTurn(() => socket.destroy(error));
    return;
  }
  const [status, reason, message] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, 'Request Header Fields Too Large', 'The headers are too large.']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'Request Timeout', 'The request did not arrive in time.']
        : [400, 'Bad Request', 'This is not well-formed HTTP.'];
  const requestId = newId();
  const body = JSON.stringify(
    problemDocument(Object.assign(new Error(message as string), { statusCode: status }), requestId, '/'),
  );
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nContent-Type: ${PROBLEM_CONTENT_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nX-Request-Id: ${requestId}\r\n${cors.ofMalformed}Connection: close\r\n\r\n${body}`,
  );
}

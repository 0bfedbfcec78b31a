import { AsyncResource } from 'node:async_hooks';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { HttpSettings } from '../../../config/sections/http.settings.js';
import { BatchedResponse } from './batched-response.js';
import { withoutForwardedPorts } from '../headers/client-address.js';
import type { Connections } from './connections.js';
import type { Cors } from '../headers/cors.js';
import { Exchange } from './exchange.js';
import type { LoadShedder } from '../admission/load-shedder.js';
import type { RawResponses } from './raw-responses.js';

/** Longer than the idle timeouts of common load balancers (60 s), so that they, not we, close an idle connection first. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;

/** Headers are a few packets at most: a slow line does not explain a longer time. */
const HEADERS_TIMEOUT_MS = 10_000;

/**
 * How often Node checks for requests that take too long to arrive. Its default of 30 s would double every such limit. All that are
 * late are cut off in one turn of the event loop: of a thousand slow clients 250 at a time, checked each second, would hold the
 * others up for tens of milliseconds.
 */
const CHECK_ARRIVALS_EVERY_MS = 200;

/** The HTTP server of the public port, with the limits that a client meets before the application knows of it. */
export function createPublicServer(
  settings: HttpSettings,
  {
    connections,
    shedder,
    cors,
    raw,
  }: { connections: Connections; shedder: LoadShedder; cors: Cors; raw: RawResponses },
  serve: RequestListener,
): Server {
  const receive: RequestListener = (request, response) => {
    if (settings.trustProxy.length > 0) withoutForwardedPorts(request);
    cors.mark(request, response);
    const exchange = new Exchange(request.method ?? '', response);
    if (!connections.receive(exchange)) raw.oneTooMany(exchange);
    else
      inTurn(response, () => {
        if (shedder.admit(request, response)) serve(request, response);
        else exchange.route = '(shed)';
      });
  };
  const server = createServer(
    {
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      headersTimeout: Math.min(HEADERS_TIMEOUT_MS, settings.arrivalTimeoutMs),
      requestTimeout: settings.arrivalTimeoutMs,
      connectionsCheckingInterval: CHECK_ARRIVALS_EVERY_MS,
      requireHostHeader: false,
      ServerResponse: BatchedResponse as typeof ServerResponse,
    },
    receive,
  );
  // For a connection on which nothing moves: while an answer is due, its client does not read. A handler may take
  // as long as the deadline of its request.
  server.timeout = Math.max(settings.writeTimeoutMs, settings.requestTimeoutMs + 1_000);
  connections.watch(server);
  // Node would answer these by itself, or not at all: a missing Host (see the hook `onRequest`), an `Expect` it does not
  // know, which a server may ignore (RFC 9110 section 10.1.1), and CONNECT.
  return server.on('checkExpectation', receive).on('connect', raw.connect);
}

/**
 * Calls `begin` when the answers to all earlier requests on the connection have left. So a client that pipelines and does not
 * read gets one answer prepared, whatever its size, and the rest of its requests cost nothing (a hundred clients that asked for
 * 12 MB each had held up everybody else for 4 s). Requests that are not safe must not run in parallel anyway (RFC 9112 section
 * 9.3.2).
 */
function inTurn(response: ServerResponse, begin: () => void): void {
  if (response.socket) begin();
  else
    response.once(
      'socket',
      // Not in the context of the request before.
      AsyncResource.bind(() => {
        // Its body turned out to be malformed, and it has been answered.
        if (!response.writableEnded) begin();
      }),
    );
}

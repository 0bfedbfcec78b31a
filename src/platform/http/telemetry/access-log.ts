import type { FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Counter, Histogram } from 'prom-client';
import type { Connections } from '../connections/connections.js';
import type { Exchange } from '../connections/exchange.js';
import type { LoadShedder } from '../admission/load-shedder.js';
import { asProblem, ConstraintViolationError } from '../../errors/index.js';

/** What nginx logs for a request whose client disconnected before there was an answer. */
const CLIENT_LEFT = 499;

/** Characters of it in the log; it is the caller's text. */
const LONGEST_USER_AGENT = 200;

/** How often refused connections are reported, in milliseconds. */
const REPORT_EVERY_MS = 1000;

/**
 * One histogram sample per answer and one log line per request that reached the application, written when the answer is sent or
 * its client has disconnected: request id, caller, route pattern, status and duration; with the error where there was one.
 */
export function installAccessLog(connections: Connections, logger: Logger, durations: Histogram): void {
  const samples = new Map<string, { observe(seconds: number): void }>();

  function observe(method: string, route: string, status: number, durationMs: number): void {
    // prom-client hashes the labels on every call; the few combinations there are keep their sample instead.
    const key = `${method} ${route} ${status}`;
    let sample = samples.get(key);
    if (!sample) {
      sample = durations.labels({ method, route, status: String(status) });
      samples.set(key, sample);
    }
    sample.observe(durationMs / 1000);
  }

  connections.on('end', (exchange) => {
    const { method, route, response, openedAt } = exchange;
    const status = response.headersSent ? response.statusCode : CLIENT_LEFT;
    const durationMs = performance.now() - openedAt;
    observe(method, route, status, durationMs);
    if (exchange.request) writeLine(logger, exchange, exchange.request, status, durationMs);
  });
  // Bytes that are not a request have no method either (`_OTHER`, as in OpenTelemetry's conventions).
  connections.on('rawAnswer', (status) => observe('_OTHER', '(malformed)', status, 0));
}

function writeLine(
  logger: Logger,
  exchange: Exchange,
  request: FastifyRequest,
  status: number,
  durationMs: number,
): void {
  const { method, route } = exchange;
  const { failure } = request;
  const line: Record<string, unknown> = {
    // Explicit, not by the mixin: this runs outside of the request's asynchronous context.
    requestId: request.id,
    traceId: request.traceId,
    userId: request.caller?.userId,
    method,
    route,
    status,
    durationMs: Math.round(durationMs * 100) / 100,
  };
  if (request.deprecated) {
    line.deprecated = true;
    line.userAgent = request.headers['user-agent']?.slice(0, LONGEST_USER_AGENT);
  }
  // A value passed validation and was rejected by the schema: validation needs a fix.
  if (status < 500 && !(failure instanceof ConstraintViolationError)) {
    if (failure !== undefined) line.code = asProblem(failure)?.code;
    logger.info(line, 'request');
    return;
  }
  line.path = request.url.split('?', 1)[0];
  line.err = failure;
  if (asProblem(failure)) logger.warn(line, 'request');
  else logger.error(line, 'request');
}

/** A counter, and at most one log line a second, for connections that are closed because there are too many. */
export function installConnectionLog(connections: Connections, logger: Logger, refused: Counter): void {
  let reportedAt = -Infinity;
  connections.on('refused', (reason) => {
    refused.inc({ reason });
    const now = performance.now();
    if (now - reportedAt < REPORT_EVERY_MS) return;
    reportedAt = now;
    logger.warn({ reason }, 'Connections were closed: too many are open');
  });
}

/** One log line a second and a counter for requests that are rejected before they get this far. */
export function installShedLog(shedder: LoadShedder, logger: Logger, refused: Counter): void {
  shedder.onShed((shed) => {
    for (const [priority, count] of Object.entries(shed)) refused.inc({ priority }, count);
    logger.warn({ ...shedder.state, shed }, 'Requests were rejected: too many were in flight');
  });
}

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Counter, Histogram } from 'prom-client';
import type { LoadShedder } from '../http/load-shedder.js';
import { asProblem } from '../http/problem.js';

/**
 * One log line and one histogram sample per request, written when the answer is out: request id, caller, route
 * pattern, status and duration; with the error where there was one (DESIGN: errors, column "log").
 */
export function installAccessLog(fastify: FastifyInstance, logger: Logger, durations: Histogram): void {
  const samples = new Map<string, { observe(seconds: number): void }>();

  fastify.addHook('onResponse', (request, reply, done) => {
    const { method } = request;
    const route = request.is404 ? '(unmatched)' : (request.routeOptions.url ?? '(unmatched)');
    const durationMs = reply.elapsedTime;
    // prom-client hashes the labels on every call; the few combinations there are keep their sample instead.
    const key = `${method} ${route} ${reply.statusCode}`;
    let sample = samples.get(key);
    if (!sample) {
      sample = durations.labels({ method, route, status: String(reply.statusCode) });
      samples.set(key, sample);
    }
    sample.observe(durationMs / 1000);
    writeLine(logger, request, reply, route, durationMs);
    done();
  });
}

function writeLine(
  logger: Logger,
  request: FastifyRequest,
  reply: FastifyReply,
  route: string,
  durationMs: number,
): void {
  const status = reply.statusCode;
  const { failure } = request;
  const line: Record<string, unknown> = {
    // Explicit, not by the mixin: the hook may run outside of the request's asynchronous context.
    requestId: request.id,
    traceId: request.traceId,
    userId: request.caller?.userId,
    method: request.method,
    route,
    status,
    durationMs: Math.round(durationMs * 100) / 100,
  };
  if (status < 500) {
    if (failure !== undefined) line.code = asProblem(failure)?.code;
    logger.info(line, 'request');
    return;
  }
  line.path = request.url.split('?', 1)[0];
  line.err = failure;
  if (asProblem(failure)) logger.warn(line, 'request');
  else logger.error(line, 'request');
}

/** A log line a second and a counter for the requests that are refused before they get this far. */
export function installShedLog(shedder: LoadShedder, logger: Logger, refused: Counter): void {
  shedder.onShed((shed) => {
    for (const [priority, count] of Object.entries(shed)) refused.inc({ priority }, count);
    logger.warn({ ...shedder.state, shed }, 'requests were refused: too many were in flight');
  });
}

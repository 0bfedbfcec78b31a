import {
  context,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { asProblem } from '../../errors/index.js';
import type { HeadSampling } from './head-sampling.js';
import { Unsampled } from './unsampled.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Id of the trace that the request belongs to, when tracing is on and the trace is recorded. */
    traceId?: string;
    /** The span of the request, when it is recorded. */
    span?: Span;
  }
}

/**
 * One span per recorded request, from Fastify's first hook to the answer, named by the route. Instead of OpenTelemetry's
 * instrumentation of `http`, which works on every request and response, recorded or not (docs/operations/tracing.md has the
 * figures). Requests that never reach Fastify (malformed ones, and those that are shed) have no span.
 */
export class RequestTracing {
  constructor(
    private readonly tracer: Tracer,
    private readonly sampling: HeadSampling,
  ) {}

  install(fastify: FastifyInstance): void {
    fastify.decorateRequest('traceId', undefined);
    fastify.decorateRequest('span', undefined);
    fastify.addHook('onRequest', (request, reply, done) => {
      let active = this.sampling.forRequest(request.headers);
      const unsampled = Unsampled.in(active);
      request.traceId = this.sampling.traceId(active);
      if (unsampled && request.context) {
        request.context.unsampled = unsampled;
        done();
        return;
      }
      if (!unsampled) {
        const span = this.start(request, active);
        request.span = span;
        // Not `onResponse`: Fastify calls that only when the answer has been sent, and a client may disconnect before.
        reply.raw.once('close', () => finish(span, request, reply));
        active = trace.setSpan(active, request.span);
        request.traceId = this.sampling.traceId(active);
      }
      context.with(active, done);
    });
  }

  private start(request: FastifyRequest, parent: Context): Span {
    const { method, protocol } = request;
    const route = request.routeOptions.url;
    const attributes = {
      'http.request.method': method,
      'http.route': route,
      'url.scheme': protocol,
      // Without the query: it may hold data of users.
      'url.path': request.url.split('?', 1)[0],
      'user_agent.original': request.headers['user-agent'],
      'app.request_id': request.id,
    };
    return this.tracer.startSpan(
      route === undefined ? method : `${method} ${route}`,
      { kind: SpanKind.SERVER, attributes },
      parent,
    );
  }
}

function finish(span: Span, { failure }: FastifyRequest, { raw, statusCode }: FastifyReply): void {
  if (raw.headersSent) span.setAttribute('http.response.status_code', statusCode);
  if (statusCode >= 500) {
    // Its message and stack are in the log line with this trace's id.
    span.setAttribute('error.type', asProblem(failure)?.code ?? String(statusCode));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { register } from 'import-in-the-middle/register-hooks.mjs';
import type { Settings } from '../../../config/index.js';
import { HttpSpanExporter } from './span-exporter.js';
import { HeadSampling } from './head-sampling.js';
import { RequestTracing } from './request-tracing.js';
import { TraceContextPropagator } from './unsampled.js';
import type { Tracing } from './tracing.js';
import { WorkTracing } from './work-tracing.js';

/** Packages that the instrumentations below patch as they are loaded. Other packages are loaded unchanged. */
const PATCHED = ['ioredis'];

/** Spans that wait, about 4 KiB each: the most that a collector that is down may cost. Further spans are dropped. */
const QUEUE_SPANS = 2048;
/** Turning a batch into JSON blocks the event loop; this many spans take about 1 ms. */
const BATCH_SPANS = 256;
const BATCH_DELAY_MS = 2000;

/** Sets OpenTelemetry up for this process. Only `startTracing` may import it. */
export function createTracing(process: string, endpoint: string, settings: Settings): Tracing {
  const { sampleRatio, trustIncoming } = settings.tracing;
  const exporter = new HttpSpanExporter(`${endpoint.replace(/\/$/, '')}/v1/traces`);
  const provider = new TracerProvider({
    // Whether a trace is recorded is decided before its first span is made: see HeadSampling.
    sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    // Last, so that OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win.
    resource: resourceFromAttributes({
      'service.name': `${settings.app.name}-${process}`,
      'deployment.environment.name': settings.app.environment,
    }).merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        maxQueueSize: QUEUE_SPANS,
        maxExportBatchSize: BATCH_SPANS,
        scheduledDelayMillis: BATCH_DELAY_MS,
      }),
    ],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  propagation.setGlobalPropagator(new TraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  instrument();

  const tracer = provider.getTracer(settings.app.name);
  const sampling = new HeadSampling(sampleRatio, trustIncoming);
  const requests = new RequestTracing(tracer, sampling);
  const work = new WorkTracing(tracer, sampling);
  return {
    reportTo: (logger) => exporter.reportTo(logger),
    traceRequests: (fastify) => requests.install(fastify),
    traceWork: (what, run) => work.run(what, run),
    traceStep: (name, run, attributes) => work.step(name, run, attributes),
    traceId: () => sampling.traceId(context.active()),
    traceparent: () => sampling.traceparent(context.active()),
    shutdown: () => provider.shutdown().catch(() => undefined),
  };
}

/**
 * Instrumentation by list: each one costs something on every call, also when the trace is not recorded. All of them do
 * nothing outside a recorded trace. Incoming requests have no package here (see RequestTracing), nor has PostgreSQL (see
 * connections.ts): their instrumentations were most of what tracing cost.
 */
function instrument(): void {
  register({ include: PATCHED });
  for (const instrumentation of [
    // Keys may hold data of users.
    new IORedisInstrumentation({ requireParentSpan: true, dbStatementSerializer: (command) => command }),
    new UndiciInstrumentation({ requireParentforSpans: true }),
  ]) {
    instrumentation.enable();
  }
}

import { context, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
import type { HeadSampling } from './head-sampling.js';
import type { TracedWork } from './tracing.js';
import { Unsampled } from './unsampled.js';

/** One span for each recorded piece of background work, with what it does as children. */
export class WorkTracing {
  constructor(
    private readonly tracer: Tracer,
    private readonly sampling: HeadSampling,
  ) {}

  run<T>({ name, attributes, traceparent }: TracedWork, run: () => Promise<T>): Promise<T> {
    const head = traceparent === undefined ? this.sampling.forRoot() : this.sampling.forChild(traceparent);
    if (Unsampled.in(head)) return context.with(head, run);
    const kind = traceparent === undefined ? SpanKind.INTERNAL : SpanKind.CONSUMER;
    const span = this.tracer.startSpan(name, { kind, attributes }, head);
    return context.with(trace.setSpan(head, span), async () => {
      try {
        return await run();
      } catch (error) {
        span.setAttribute('error.type', error instanceof Error ? error.name : typeof error);
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    });
  }
}

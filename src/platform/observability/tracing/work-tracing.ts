import {
  context,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type SpanOptions,
  type Tracer,
} from '@opentelemetry/api';
import type { HeadSampling } from './head-sampling.js';
import type { TracedWork } from './tracing.js';
import { Unsampled } from './unsampled.js';

/** One span for each recorded piece of background work, with its steps as children. */
export class WorkTracing {
  constructor(
    private readonly tracer: Tracer,
    private readonly sampling: HeadSampling,
  ) {}

  run<T>({ name, attributes, traceparent }: TracedWork, run: () => Promise<T>): Promise<T> {
    const head = traceparent === undefined ? this.sampling.forRoot() : this.sampling.forChild(traceparent);
    if (Unsampled.in(head)) return context.with(head, run);
    const kind = traceparent === undefined ? SpanKind.INTERNAL : SpanKind.CONSUMER;
    return this.record(name, { kind, attributes }, head, run);
  }

  step<T>(name: string, run: () => Promise<T>, attributes?: Record<string, string>): Promise<T> {
    const active = context.active();
    if (trace.getSpan(active) === undefined) return run();
    return this.record(name, { kind: SpanKind.CLIENT, attributes }, active, run);
  }

  private record<T>(name: string, options: SpanOptions, parent: Context, run: () => Promise<T>): Promise<T> {
    const span = this.tracer.startSpan(name, options, parent);
    return context.with(trace.setSpan(parent, span), async () => {
      try {
        return await run();
      } catch (error) {
        // Its message and stack are in the log, which redacts; here they would go to another system.
        span.setAttribute('error.type', error instanceof Error ? error.name : typeof error);
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    });
  }
}

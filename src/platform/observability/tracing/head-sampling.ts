import {
  defaultTextMapGetter,
  isSpanContextValid,
  ROOT_CONTEXT,
  trace,
  TraceFlags,
  type Context,
} from '@opentelemetry/api';
import { TraceContextPropagator, Unsampled } from './unsampled.js';

/**
 * Decides for a whole trace, at its head, whether it is recorded: by the caller's decision if there is one, otherwise by the
 * ratio. It is the parent-based ratio sampling of the OpenTelemetry specification, made before there is a span, because
 * instrumentations do most of their work even for a span that is not recorded.
 */
export class HeadSampling {
  private readonly propagator = new TraceContextPropagator();

  /**
   * @param ratio 0 to 1, of the traces that begin here
   * @param trustIncoming whether to follow the decision that a request carries
   */
  constructor(
    private readonly ratio: number,
    private readonly trustIncoming: boolean,
  ) {}

  /** The context of a request's work; its span is still to be created when it holds no `Unsampled`. */
  forRequest(headers: Record<string, string | string[] | undefined>): Context {
    if (this.trustIncoming && headers.traceparent !== undefined) {
      const parent = this.parentIn(headers);
      if (parent) return parent;
    }
    return this.forRoot();
  }

  /** The context for work that begins a trace. */
  forRoot(): Context {
    return Math.random() < this.ratio ? ROOT_CONTEXT : new Unsampled().in(ROOT_CONTEXT);
  }

  /** The context for work that joins a trace. */
  forChild(traceparent: string | null): Context {
    return (traceparent !== null && this.parentIn({ traceparent })) || new Unsampled().in(ROOT_CONTEXT);
  }

  traceId(context: Context): string | undefined {
    return trace.getSpanContext(context)?.traceId ?? Unsampled.in(context)?.traceId;
  }

  traceparent(context: Context): string | undefined {
    const span = trace.getSpanContext(context);
    return span && `00-${span.traceId}-${span.spanId}-01`;
  }

  private parentIn(headers: object): Context | undefined {
    const context = this.propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter);
    const parent = trace.getSpanContext(context);
    if (!parent || !isSpanContextValid(parent)) return undefined;
    if ((parent.traceFlags & TraceFlags.SAMPLED) !== 0) return context;
    return new Unsampled(`00-${parent.traceId}-${parent.spanId}-00`).in(ROOT_CONTEXT);
  }
}

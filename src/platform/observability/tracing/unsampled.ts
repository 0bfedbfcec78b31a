import {
  createContextKey,
  isSpanContextValid,
  trace,
  type Context,
  type TextMapSetter,
} from '@opentelemetry/api';
import { RandomIdGenerator } from '@opentelemetry/sdk-trace';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { RequestContext } from '../../context/index.js';

const KEY = createContextKey('unsampled');
const ids = new RandomIdGenerator();

/**
 * A trace that is not recorded, in the place of a span: instrumentations find no span and do nothing, while outgoing calls still
 * carry the decision (`traceparent` with the flag off).
 */
export class Unsampled {
  private outgoing?: string;

  /** @param incoming the caller's `traceparent`, when the caller decided */
  constructor(private readonly incoming?: string) {}

  /** The one in a context, or, where that holds nothing about tracing, the one of the current request. */
  static in(context: Context): Unsampled | undefined {
    const here = context.getValue(KEY) as Unsampled | undefined;
    if (here) return here;
    // Instrumentations that need a parent put an invalid span in the place of theirs.
    const span = trace.getSpanContext(context);
    if (span && isSpanContextValid(span)) return undefined;
    return RequestContext.current()?.unsampled as Unsampled | undefined;
  }

  in(context: Context): Context {
    return context.setValue(KEY, this);
  }

  /** Only where the caller knows the trace by it; an id that is made here is never seen. */
  get traceId(): string | undefined {
    return this.incoming?.slice(3, 35);
  }

  /** Created when first needed: most requests make no outgoing calls. */
  get traceparent(): string {
    this.outgoing ??= this.incoming ?? `00-${ids.generateTraceId()}-${ids.generateSpanId()}-00`;
    return this.outgoing;
  }
}

/** W3C Trace Context. Baggage is not passed on: it would be strangers' data in our calls. */
export class TraceContextPropagator extends W3CTraceContextPropagator {
  override inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const unsampled = Unsampled.in(context);
    if (unsampled) setter.set(carrier, 'traceparent', unsampled.traceparent);
    else super.inject(context, carrier, setter);
  }
}

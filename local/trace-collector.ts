import { startJsonServer } from './json-server.ts';
import { waitFor } from './wait-for.ts';

/** A span of OTLP's JSON, with its attributes as an object and the name of the process that recorded it. */
export interface CollectedSpan {
  service: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  attributes: Record<string, unknown>;
  status: { code?: number };
}

export interface TraceCollector {
  /** The value for `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  url: string;
  spans: CollectedSpan[];
  /** While true nothing is answered. */
  hangs: boolean;
  /** Exports that were sent, answered or not. */
  exports: number;
  /** The first span, past or to come, that `matches`. */
  waitForSpan(matches: (span: CollectedSpan) => boolean, within?: number): Promise<CollectedSpan>;
  stop(): Promise<void>;
}

interface OtlpValue {
  stringValue?: string;
  intValue?: number;
}
interface OtlpAttributes {
  attributes?: { key: string; value: OtlpValue }[];
}
interface OtlpExport {
  resourceSpans: {
    resource: OtlpAttributes;
    scopeSpans: { spans: (Omit<CollectedSpan, 'attributes'> & OtlpAttributes)[] }[];
  }[];
}

/** Receives spans by OTLP over HTTP, as JSON (`POST /v1/traces`, OpenTelemetry Protocol specification 1.x). */
export async function startTraceCollector(port = 0): Promise<TraceCollector> {
  const collector = { spans: [] as CollectedSpan[], hangs: false, exports: 0 };
  const server = await startJsonServer({ port, host: '127.0.0.1' }, ({ method, path, body }) => {
    if (method !== 'POST' || path !== '/v1/traces') return { status: 404 };
    collector.exports += 1;
    if (collector.hangs) return undefined;
    collector.spans.push(...spansIn(body as OtlpExport));
    return { status: 200, body: {} };
  });
  return Object.assign(collector, {
    url: server.url,
    waitForSpan: (matches: (span: CollectedSpan) => boolean, within = 30_000) =>
      waitFor(() => collector.spans.find(matches), { within, what: 'a span at the collector' }),
    stop: () => server.stop(),
  });
}

function spansIn({ resourceSpans }: OtlpExport): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(objectOf(resource)['service.name']);
    return scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({ ...span, service, attributes: objectOf(span) })),
    );
  });
}

function objectOf({ attributes = [] }: OtlpAttributes): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0] as unknown]));
}

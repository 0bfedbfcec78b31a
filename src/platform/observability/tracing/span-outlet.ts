import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';

/** An export that takes longer has failed; its spans are dropped. */
const EXPORT_TIMEOUT_MS = 2000;

/**
 * Where spans leave: OTLP over HTTP. What the collector does not take is dropped, and that is said once for each of its
 * outages. Headers and certificates come from the standard variables (`OTEL_EXPORTER_OTLP_HEADERS`, ...), which the exporter
 * reads by itself.
 */
export class SpanOutlet implements SpanExporter {
  private readonly exporter: OTLPTraceExporter;
  private logger?: Logger;
  private refused = false;

  constructor(url: string) {
    this.exporter = new OTLPTraceExporter({ url, timeoutMillis: EXPORT_TIMEOUT_MS });
  }

  reportTo(logger: Logger): void {
    this.logger = logger;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.exporter.export(spans, (result) => {
      this.report(result);
      done(result);
    });
  }

  forceFlush(): Promise<void> {
    return this.exporter.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }

  private report({ code, error }: ExportResult): void {
    const refused = code !== ExportResultCode.SUCCESS;
    if (refused === this.refused) return;
    this.refused = refused;
    if (refused) this.logger?.warn({ err: error }, 'The trace collector takes no spans; they are dropped');
    else this.logger?.info('The trace collector takes spans again');
  }
}

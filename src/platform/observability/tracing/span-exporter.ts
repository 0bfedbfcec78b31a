import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import { OutageLog } from '../../runtime/index.js';

/** An export that takes longer has failed; its spans are dropped. */
const EXPORT_TIMEOUT_MS = 2000;

/**
 * Exports spans by OTLP over HTTP. Spans that the collector does not accept are dropped, which is reported once for each of its
 * outages. Headers and certificates come from the standard variables (`OTEL_EXPORTER_OTLP_HEADERS`, ...), which the exporter
 * reads by itself.
 */
export class HttpSpanExporter implements SpanExporter {
  private readonly exporter: OTLPTraceExporter;
  private outage?: OutageLog;

  constructor(url: string) {
    this.exporter = new OTLPTraceExporter({ url, timeoutMillis: EXPORT_TIMEOUT_MS });
  }

  reportTo(logger: Logger): void {
    this.outage = new OutageLog(
      { warn: (details, message) => logger.warn(details, message), log: (message) => logger.info(message) },
      {
        begins: 'The trace collector does not accept spans; dropping them',
        ends: 'The trace collector accepts spans again',
      },
    );
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.exporter.export(spans, (result) => {
      if (result.code === ExportResultCode.SUCCESS) this.outage?.recovered();
      else this.outage?.failed(result.error);
      done(result);
    });
  }

  forceFlush(): Promise<void> {
    return this.exporter.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }
}

import { IsBoolean, IsNumber, IsOptional, Max, Min } from 'class-validator';
import { Setting } from '../setting.decorator.js';
import { IsConnectionUrl } from '../validators.js';

export class TracingSettings {
  @Setting('OTEL_EXPORTER_OTLP_ENDPOINT', {
    describe: 'Base URL of an OpenTelemetry collector (OTLP over HTTP). Empty: no tracing.',
  })
  @IsOptional()
  @IsConnectionUrl(['http:', 'https:'])
  endpoint?: string;

  @Setting('TRACING_SAMPLE_RATIO', {
    default: 0.05,
    describe: 'Share of traces started here that are recorded.',
  })
  @IsNumber()
  @Min(0)
  @Max(1)
  sampleRatio!: number;

  @Setting('TRACING_TRUST_INCOMING', {
    default: false,
    describe:
      "Whether a request's traceparent header decides about its trace; only where strangers cannot set it.",
  })
  @IsBoolean()
  trustIncoming!: boolean;
}

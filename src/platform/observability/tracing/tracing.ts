import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Settings } from '../../../config/index.js';
import { within } from '../../runtime/index.js';

/** Work outside a request: an event being handled, or a scheduled run. */
export interface TracedWork {
  /** The name of the span, such as `process thing.made`; only a few different ones. */
  name: string;
  attributes?: Record<string, string | number | undefined>;
  /**
   * The `traceparent` of its cause; `null` when the cause was not recorded, and then this is not either. `undefined` for work
   * without a traced cause, which begins its own trace for `TRACING_SAMPLE_RATIO` of the runs.
   */
  traceparent?: string | null;
}

/** Tracing that is switched on. It shows nothing of OpenTelemetry, so that importing this does not load it. */
export interface Tracing {
  /** Where it reports that the collector is down. */
  reportTo(logger: Logger): void;
  /** Records requests, from the first hook to the answer. */
  traceRequests(fastify: FastifyInstance): void;
  traceWork<T>(work: TracedWork, run: () => Promise<T>): Promise<T>;
  traceStep<T>(name: string, run: () => Promise<T>, attributes?: Record<string, string>): Promise<T>;
  traceId(): string | undefined;
  traceparent(): string | undefined;
  /** Sends the recorded spans. Resolves when they are sent, or cannot be. */
  shutdown(): Promise<void>;
}

/** How long an exiting process waits for the collector at most. Milliseconds. */
const LAST_FLUSH_MS = 1000;

/** One per process, and not injectable: it must exist before the packages that it patches, Nest among them, are loaded. */
let tracing: Tracing | undefined;

/**
 * Switches tracing on when `OTEL_EXPORTER_OTLP_ENDPOINT` is set. Call it before importing anything that connects or serves: only
 * packages that are loaded afterwards can be traced.
 * @param process name of the process, as in its log lines
 */
export async function startTracing(process: string, settings: Settings): Promise<void> {
  if (settings.tracing.endpoint === undefined) return;
  const { createTracing } = await import('./open-telemetry.js');
  tracing = createTracing(process, settings.tracing.endpoint, settings);
}

export function reportTracingTo(logger: Logger): void {
  tracing?.reportTo(logger);
}

/** Makes the application record its requests, when tracing is on. */
export function traceRequests(fastify: FastifyInstance): void {
  tracing?.traceRequests(fastify);
}

/** Runs `run`, recorded when tracing is on and the trace is sampled. */
export function traceWork<T>(work: TracedWork, run: () => Promise<T>): Promise<T> {
  return tracing ? tracing.traceWork(work, run) : run();
}

/**
 * Runs `run` as a span of the current work, for outgoing calls that no instrumentation sees.
 * @param name of the span; only a few different ones
 */
export function traceStep<T>(
  name: string,
  run: () => Promise<T>,
  attributes?: Record<string, string>,
): Promise<T> {
  return tracing ? tracing.traceStep(name, run, attributes) : run();
}

/** Id of the trace that the current work belongs to, here or at a caller: for log lines. */
export function currentTraceId(): string | undefined {
  return tracing?.traceId();
}

/** What later work needs to join the trace of the current work (W3C Trace Context); undefined when that is not recorded. */
export function currentTraceparent(): string | undefined {
  return tracing?.traceparent();
}

/**
 * Sends the recorded spans. Takes no longer than a second, whatever state the collector is in.
 * @param atMostMs when there is less time than that
 */
export async function stopTracing(atMostMs: number): Promise<void> {
  if (!tracing) return;
  const patienceMs = Math.max(0, Math.min(atMostMs, LAST_FLUSH_MS));
  await within(patienceMs, tracing.shutdown()).catch(() => undefined);
}

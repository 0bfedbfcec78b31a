import { Module, type DynamicModule } from '@nestjs/common';
import { makeCounterProvider } from '@willsoto/nestjs-prometheus';
import { Logger as NestLogger, LoggerModule, PinoLogger, type Params } from 'nestjs-pino';
import pino, { type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import { register, type Counter } from 'prom-client';
import { redactor, secretTexts, type Settings } from '../../config/index.js';
import { RequestContext } from '../context/index.js';
import { errorFields } from './error-fields.js';
import { openLogDestination, type LogDestination } from './log-destination.js';
import { currentTraceId } from './tracing/tracing.js';

/** Members whose value never reaches a log line when a whole object is logged. */
const REDACTED = [
  'password',
  'accessToken',
  'refreshToken',
  'authorization',
  '*.password',
  '*.authorization',
  '*.headers.authorization',
];

const STANDARD_OUTPUT = 1;

const LOG_DROPPED = 'log_lines_dropped_total';

/** Nest logs each module and route at every start: forty lines that nobody reads. */
const BOOT_CONTEXTS = new Set([
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestFactory',
  'NestApplication',
]);

/**
 * The process's log: one JSON object per line on standard output; a slow reader does not slow it down (see `openLogDestination`).
 */
export interface ProcessLog {
  logger: Logger;
  /**
   * For the one line per request: access-log.ts lists its members, so searching for secrets and reading the context would find
   * nothing, and cost a few microseconds.
   */
  access: Logger;
  /** Writes buffered lines, as far as that is possible in `withinMs`; await it before the process ends. */
  flush(withinMs: number): Promise<void>;
}

/**
 * Makes the root logger of a process.
 * @param process name of the process (`api`, `worker`, `cli`), on every line
 * @param destination for tests; standard output otherwise
 */
export function createProcessLog(
  settings: Settings,
  process: string,
  destination?: DestinationStream,
): ProcessLog {
  const redact = redactor(secretTexts(settings));
  const common: LoggerOptions = {
    level: settings.app.logLevel,
    base: { process },
    messageKey: 'message',
    errorKey: 'err',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: (error: unknown) => redacted(errorFields(error), redact) },
  };
  const outlet: LogDestination | undefined = destination
    ? undefined
    : openLogDestination(
        STANDARD_OUTPUT,
        () => (register.getSingleMetric(LOG_DROPPED) as Counter | undefined)?.inc(),
        (lines) =>
          logger.warn({ lines }, 'Log lines were dropped because their reader stalled or the disk was full'),
      );
  const stream = (destination ?? outlet) as DestinationStream;
  const logger = pino(
    {
      ...common,
      formatters: { ...common.formatters, log: withoutRawErrors },
      redact: { paths: REDACTED, censor: '[redacted]' },
      hooks: {
        logMethod(args, method, level) {
          const { context } = args[0] as { context?: unknown };
          if (level === pino.levels.values.info && BOOT_CONTEXTS.has(context as string)) return;
          method.apply(this, args);
        },
      },
      mixin: () => {
        // pino leaves out what is undefined.
        return { requestId: RequestContext.current()?.requestId, traceId: currentTraceId() };
      },
    },
    // A message may quote an error that quotes a secret.
    { write: (line) => stream.write(redact(line)) },
  );
  return {
    logger,
    access: pino(common, stream),
    flush: async (withinMs) => outlet?.flush(withinMs),
  };
}

/** Errors under other names than `err` are serialised by the same list. */
function withoutRawErrors(line: Record<string, unknown>): Record<string, unknown> {
  const raw = Object.entries(line).filter(([name, value]) => value instanceof Error && name !== 'err');
  return raw.length === 0
    ? line
    : { ...line, ...Object.fromEntries(raw.map(([name, error]) => [name, errorFields(error)])) };
}

/** For the access log, whose lines are not searched for secrets. */
function redacted(fields: object | undefined, redact: (text: string) => string): unknown {
  return fields && (JSON.parse(redact(JSON.stringify(fields))) as unknown);
}

/** Options for nestjs-pino: our logger, and no access log of its own (see platform/http/telemetry/access-log.ts). */
const paramsFor = (logger: Logger): Params => ({
  pinoHttp: { logger: logger as never, autoLogging: false },
  forRoutes: [],
});

/** Nest's logger for an application that is being created: its start is logged too. */
export function nestLogger(logger: Logger): NestLogger {
  const params = paramsFor(logger);
  return new NestLogger(new PinoLogger(params), params);
}

/**
 * Makes the log injectable (`PinoLogger`). nestjs-pino's middleware is not mounted: the request id comes from
 * `RequestContext`, and the access log is one hook, which also knows the route and the caller.
 */
@Module({})
export class LoggingModule {
  static forRoot(logger: Logger): DynamicModule {
    return {
      module: LoggingModule,
      imports: [LoggerModule.forRoot(paramsFor(logger))],
      providers: [
        makeCounterProvider({
          name: LOG_DROPPED,
          help: 'Log lines dropped because their reader stalled or the disk was full.',
        }),
      ],
    };
  }
}

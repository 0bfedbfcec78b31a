import { Module, type DynamicModule } from '@nestjs/common';
import { Logger as NestLogger, LoggerModule, PinoLogger, type Params } from 'nestjs-pino';
import pino, { type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import type { Settings } from '../../config/index.js';
import { RequestContext } from '../context/index.js';
import { currentTraceId } from './tracing/tracing.js';

/** Members whose value never reaches a log line, wherever an object is logged whole. */
const REDACTED = [
  'password',
  'accessToken',
  'refreshToken',
  'authorization',
  '*.password',
  '*.authorization',
  '*.headers.authorization',
];

/** Nest tells each module and route at every start; forty lines that nobody reads. */
const BOOT_CONTEXTS = new Set([
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestFactory',
  'NestApplication',
]);

/** Bytes of log lines that are written at once, by another thread; what is less waits 100 ms at most. */
const LOG_BUFFER_BYTES = 12 * 1024;

/** The process's log: one JSON object per line on standard output, buffered, so that a slow reader does not stop the event loop. */
export interface ProcessLog {
  logger: Logger;
  /**
   * For the one line per request: what is in it is listed in access-log.ts, so that looking for secrets and asking for the
   * context would find nothing, a few microseconds later.
   */
  access: Logger;
  /** Writes what is buffered; to be called before the process ends. */
  flush(): void;
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
  const stdout = destination
    ? undefined
    : pino.destination({ dest: 1, sync: false, minLength: LOG_BUFFER_BYTES, periodicFlush: 100 });
  const common: LoggerOptions = {
    level: settings.app.logLevel,
    base: { process },
    messageKey: 'message',
    errorKey: 'err',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  };
  const stream = (destination ?? stdout) as DestinationStream;
  const logger = pino(
    {
      ...common,
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
    stream,
  );
  return {
    logger,
    access: pino(common, stream),
    flush: () => {
      try {
        stdout?.flushSync();
      } catch {
        // Standard output may be gone already (a closed pipe); there is nobody left to tell.
      }
    },
  };
}

/** What nestjs-pino is told: the logger is ours, and there is no access log of its own (see access-log.ts). */
const paramsFor = (logger: Logger): Params => ({
  pinoHttp: { logger: logger as never, autoLogging: false },
  forRoutes: [],
});

/** Nest's logger for an application that is being made: what happens while it starts is in the log too. */
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
    return { module: LoggingModule, imports: [LoggerModule.forRoot(paramsFor(logger))] };
  }
}

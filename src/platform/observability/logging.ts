import { Module, type DynamicModule } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import pino, { type DestinationStream, type Logger } from 'pino';
import type { Settings } from '../../config/index.js';
import { RequestContext } from '../context/index.js';

/** Members whose value never reaches a log line, wherever an object is logged whole. */
const REDACTED = ['password', 'accessToken', 'refreshToken', 'authorization', '*.password', '*.authorization', '*.headers.authorization'];

/** The process's log: one JSON object per line on standard output, buffered, so that a slow reader does not stop the event loop. */
export interface ProcessLog {
  logger: Logger;
  /** Writes what is buffered; to be called before the process ends. */
  flush(): void;
}

/**
 * Makes the root logger of a process.
 * @param process name of the process (`api`, `worker`, `cli`), on every line
 * @param destination for tests; standard output otherwise
 */
export function createProcessLog(settings: Settings, process: string, destination?: DestinationStream): ProcessLog {
  const stdout = destination ? undefined : pino.destination({ dest: 1, sync: false, minLength: 4096, periodicFlush: 100 });
  const logger = pino(
    {
      level: settings.app.logLevel,
      base: { process },
      messageKey: 'message',
      errorKey: 'err',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACTED, censor: '[redacted]' },
      mixin: () => {
        const requestId = RequestContext.current()?.requestId;
        return requestId === undefined ? {} : { requestId };
      },
    },
    (destination ?? stdout) as DestinationStream,
  );
  return {
    logger,
    flush: () => {
      try {
        stdout?.flushSync();
      } catch {
        // Standard output may be gone already (a closed pipe); there is nobody left to tell.
      }
    },
  };
}

/**
 * Nest's logger, writing through the process's log. nestjs-pino's middleware is not mounted: the request id comes from
 * `RequestContext`, and the access log is one hook (see access-log.ts), which also knows the route and the caller.
 */
@Module({})
export class LoggingModule {
  static forRoot(logger: Logger): DynamicModule {
    return {
      module: LoggingModule,
      imports: [LoggerModule.forRoot({ pinoHttp: { logger: logger as never, autoLogging: false }, forRoutes: [] })],
    };
  }
}

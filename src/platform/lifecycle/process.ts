import { setTimeout as delay } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import type { Settings } from '../../config/index.js';
import { HealthRegistry, startManagement } from '../health/index.js';
import { FaultInjector } from '../resilience/index.js';
import { createProcessLog, reportTracingTo, stopTracing, type ProcessLog } from '../observability/index.js';
import { handOverSignals } from './early-signals.js';
import { remedyFor } from './remedy.js';

/** What a process must support for a controlled end, in the order of the calls. */
export interface Service {
  /** At the signal: stops taking new background work. Must not wait. */
  stopTaking(): void | Promise<void>;
  /** Whether to go on serving until load balancers have noticed (`SHUTDOWN_DRAIN_DELAY_MS`). */
  drains: boolean;
  /** Stops accepting and finishes running work, within `timeoutMs`. */
  finish(timeoutMs: number): Promise<void>;
  /** Closes queues, Redis and PostgreSQL. */
  close(): Promise<void>;
}

export interface ProcessResources {
  health: HealthRegistry;
  log: ProcessLog;
  /** Present with `FAULTS_ENABLED`, which production rejects. */
  faults?: FaultInjector;
}

/** The part of `SHUTDOWN_TIMEOUT_MS` that is reserved for closing connections after all work has finished. */
const CLOSING_RESERVE_MS = 2000;
/** How long a reader of the log has to read the last lines. */
const LAST_LINES_MS = 200;

/**
 * The life of a process (docs/architecture.md, "Life of a process"): management port, `start`, ready; at SIGTERM or SIGINT
 * readiness off, drain, finish, close, exit 0, all within `SHUTDOWN_TIMEOUT_MS`. An uncaught exception or unhandled rejection
 * takes the same path to exit 1; during the shutdown it only changes the exit code, because requests may still be in flight. A
 * second signal exits at once.
 */
export async function runProcess(
  name: string,
  settings: Settings,
  start: (resources: ProcessResources) => Promise<Service>,
): Promise<void> {
  const log = createProcessLog(settings, name);
  reportTracingTo(log.logger);
  const health = new HealthRegistry(name);
  const faults = settings.faults.enabled ? new FaultInjector() : undefined;
  let service: Service | undefined;
  let management: INestApplicationContext | undefined;
  let ending = false;
  let exitCode = 0;

  const end = async (reason: string): Promise<void> => {
    if (ending) return;
    ending = true;
    const started = performance.now();
    const remaining = () => settings.lifecycle.timeoutMs - (performance.now() - started);
    log.logger.info({ reason }, 'shutdown begins');
    setTimeout(() => {
      log.logger.error({ timeoutMs: settings.lifecycle.timeoutMs }, 'shutdown timed out');
      void exit(log, 1);
    }, settings.lifecycle.timeoutMs - LAST_LINES_MS);

    try {
      health.phase = 'draining';
      if (service) {
        await service.stopTaking();
        if (service.drains) await delay(settings.lifecycle.drainDelayMs);
        await service.finish(Math.max(0, remaining() - CLOSING_RESERVE_MS));
        await service.close();
      }
      await management?.close();
      // A little less than the remaining time: a collector that does not answer must not make this an unclean exit.
      await stopTracing(remaining() - 200);
      log.logger.info({ durationMs: Math.round(performance.now() - started) }, 'shutdown complete');
      await exit(log, exitCode);
    } catch (error) {
      log.logger.error({ err: error }, 'shutdown failed');
      await exit(log, 1);
    }
  };

  const obey = (signal: NodeJS.Signals): void => {
    if (!ending) return void end(signal);
    log.logger.warn({ signal }, 'second signal; exiting immediately');
    void exit(log, 1);
  };
  process.on('SIGTERM', obey);
  process.on('SIGINT', obey);
  handOverSignals();
  const fatal = (kind: string) => (error: unknown) => {
    log.logger.fatal({ err: error }, kind);
    exitCode = 1;
    void end(kind);
  };
  process.on('uncaughtException', fatal('uncaught exception'));
  process.on('unhandledRejection', fatal('unhandled rejection'));

  try {
    management = await startManagement(health, settings, faults);
    service = await start({ health, log, faults });
    if (!ending) health.phase = 'ready';
    log.logger.info(
      { pid: process.pid, startedInMs: Math.round(process.uptime() * 1000) },
      `${name} is ready`,
    );
  } catch (error) {
    log.logger.fatal({ err: error }, `${name} could not start: ${remedyFor(error)}`);
    await exit(log, 1);
  }
}

async function exit(log: ProcessLog, code: number): Promise<never> {
  await log.flush(LAST_LINES_MS);
  process.exit(code);
}

import { applyDecorators, SetMetadata } from '@nestjs/common';
import { Processor } from '@nestjs/bullmq';
import type { BackoffOptions } from 'bullmq';
import type { Settings } from '../../../config/index.js';
import type { DeliveredEvent, EventDefinition } from '../events.js';

/** The queue of scheduled jobs that have no feature's queue. */
export const MAINTENANCE_QUEUE = 'maintenance';

const PROCESSOR = Symbol('event-processor');
const HANDLES = Symbol('handles');
const SCHEDULED = Symbol('scheduled');

/** How often and when a failed event is retried, where the general settings (`JOB_ATTEMPTS`, `JOB_BACKOFF_MS`) do not fit. */
export interface RetryOptions {
  attempts?: number;
  /** Milliseconds, or BullMQ's strategies. Default: exponential with full jitter. */
  backoff?: number | BackoffOptions;
}

export interface EventProcessorOptions extends RetryOptions {
  /** Jobs of this queue that one process runs at once. Default: `WORKER_CONCURRENCY`. */
  concurrency?: number;
}

export interface HandlerOptions extends RetryOptions {
  /** Refused at start: jobs that wait for their turn would hold the slots of the other events of the queue. Give the event its own queue. */
  concurrency?: number;
}

export type ScheduledOptions = {
  /** Unique, kebab-case; stored in Redis and used as a label. */
  name: string;
  /** The queue whose workers run it. Default: `maintenance`, which messaging serves itself. */
  queue?: string;
} & (
  | {
      /** Milliseconds between runs. */
      every: number | ((settings: Settings) => number);
    }
  | {
      /** When to run, in cron's format, optionally with seconds first. */
      pattern: string;
      /** Of the pattern, such as `Europe/Berlin`. Default: UTC. */
      timeZone?: string;
    }
);

export interface ProcessorMetadata extends RetryOptions {
  queue: string;
}

/** Makes an `EventConsumer` the one processor of a queue. In the api process it stays idle. */
export function EventProcessor(
  queue: string,
  { concurrency, ...retries }: EventProcessorOptions = {},
): ClassDecorator {
  return applyDecorators(
    Processor(queue, concurrency === undefined ? {} : { concurrency }),
    SetMetadata(PROCESSOR, { queue, ...retries }),
  ) as ClassDecorator;
}

/** The part of a property descriptor that is read; the whole would ask for the method's exact type. */
interface MethodDescriptor<Method> {
  value?: Method;
}

/** Makes a method of an `EventConsumer` the handler of an event; the payload's type is checked by the compiler. */
export function Handles<P extends object>(event: EventDefinition<P>, options: HandlerOptions = {}) {
  return (
    _target: object,
    _method: string,
    descriptor: MethodDescriptor<(event: DeliveredEvent<P>) => Promise<unknown>>,
  ): void => {
    const method = descriptor.value as object;
    Reflect.defineMetadata(HANDLES, [...handledBy(method), { event, ...options }], method);
  };
}

/**
 * Runs a method regularly, in one worker of all. It must tolerate being run twice at once or a little late. An error is only
 * logged: the next run comes anyway.
 */
export function Scheduled(options: ScheduledOptions) {
  return (_target: object, _method: string, descriptor: MethodDescriptor<() => Promise<unknown>>): void => {
    Reflect.defineMetadata(SCHEDULED, options, descriptor.value as object);
  };
}

/** The options of a class's `@EventProcessor`, if it has one. */
export function processorOf(type: object): ProcessorMetadata | undefined {
  return Reflect.getMetadata(PROCESSOR, type) as ProcessorMetadata | undefined;
}

/** The events that a method handles. */
export function handledBy(method: object): ({ event: EventDefinition } & HandlerOptions)[] {
  return (Reflect.getMetadata(HANDLES, method) as ReturnType<typeof handledBy> | undefined) ?? [];
}

/** The options of a method's `@Scheduled`, if it has one. */
export function scheduleOf(method: object): ScheduledOptions | undefined {
  return Reflect.getMetadata(SCHEDULED, method) as ScheduledOptions | undefined;
}

import { applyDecorators, SetMetadata } from '@nestjs/common';
import { Processor } from '@nestjs/bullmq';
import type { Settings } from '../../../config/index.js';
import type { DeliveredEvent, EventDefinition } from '../events.js';

/** The queue of scheduled jobs that belong to no feature's own queue. */
export const MAINTENANCE_QUEUE = 'maintenance';

const PROCESSOR = Symbol('event-processor');
const HANDLES = Symbol('handles');
const SCHEDULED = Symbol('scheduled');

export interface EventProcessorOptions {
  /** Jobs of this queue that one process runs at once. Default: `WORKER_CONCURRENCY`. */
  concurrency?: number;
}

export interface ScheduledOptions {
  /** Unique, kebab-case; stored in Redis and used as a label. */
  name: string;
  /** Milliseconds between runs. */
  every: number | ((settings: Settings) => number);
  /** Whose workers run it. Default: `maintenance`, which messaging serves itself. */
  queue?: string;
}

export interface ProcessorMetadata extends EventProcessorOptions {
  queue: string;
}

/** Makes an `EventConsumer` the one processor of a queue. In the api process it stays idle. */
export function EventProcessor(queue: string, options: EventProcessorOptions = {}): ClassDecorator {
  return applyDecorators(
    Processor({ name: queue }),
    SetMetadata(PROCESSOR, { queue, ...options }),
  ) as ClassDecorator;
}

/** The part of a property descriptor that is read; the whole would ask for the method's exact type. */
interface MethodDescriptor<Method> {
  value?: Method;
}

/** Makes a method of an `EventConsumer` the handler of an event; the payload's type is checked by the compiler. */
export function Handles<P extends object>(event: EventDefinition<P>) {
  return (
    _target: object,
    _method: string,
    descriptor: MethodDescriptor<(event: DeliveredEvent<P>) => Promise<unknown>>,
  ): void => {
    const method = descriptor.value as object;
    Reflect.defineMetadata(HANDLES, [...handledBy(method), event], method);
  };
}

/**
 * Runs a method regularly, in one worker of all. It must bear being run twice at once or a little late, and an error is
 * only logged: the next run comes anyway.
 */
export function Scheduled(options: ScheduledOptions) {
  return (_target: object, _method: string, descriptor: MethodDescriptor<() => Promise<unknown>>): void => {
    Reflect.defineMetadata(SCHEDULED, options, descriptor.value as object);
  };
}

/** What `@EventProcessor` said of a class, if it did. */
export function processorOf(type: object): ProcessorMetadata | undefined {
  return Reflect.getMetadata(PROCESSOR, type) as ProcessorMetadata | undefined;
}

/** The events that a method handles. */
export function handledBy(method: object): EventDefinition[] {
  return (Reflect.getMetadata(HANDLES, method) as EventDefinition[] | undefined) ?? [];
}

/** What `@Scheduled` said of a method, if it did. */
export function scheduleOf(method: object): ScheduledOptions | undefined {
  return Reflect.getMetadata(SCHEDULED, method) as ScheduledOptions | undefined;
}

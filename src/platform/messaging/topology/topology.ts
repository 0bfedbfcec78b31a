import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { getSharedConfigToken, QueueEventsHost } from '@nestjs/bullmq';
import { Queue } from 'bullmq';
import { PlainQueue } from '../queues/plain-queue.js';
import { EventConsumer } from './event-consumer.js';
import {
  handledBy,
  MAINTENANCE_QUEUE,
  processorOf,
  scheduleOf,
  type ProcessorMetadata,
  type RetryOptions,
  type ScheduledOptions,
} from './decorators.js';
import type { DeliveredEvent, EventDefinition } from '../events.js';
import { FeatureDeclarations, type FoundTopology, type RetiredSchedule } from './declarations.js';
import { publicProblems, TopologyError, topologyProblems, workerProblems } from './topology-rules.js';

export const MESSAGING_ROLE = Symbol('messaging-role');
/** What a process does with events: the api announces, the worker also relays and handles. */
export type MessagingRole = 'api' | 'worker';

export interface EventHandler extends RetryOptions {
  run: (event: DeliveredEvent) => Promise<unknown>;
}

export interface ConsumerEntry extends ProcessorMetadata {
  handlers: Map<string, EventHandler>;
}

export type ScheduleEntry = ScheduledOptions & {
  queue: string;
  run: () => Promise<unknown>;
};

interface Method {
  name: string;
  of: object;
  run: (...args: never[]) => Promise<unknown>;
}

/**
 * The announced events and their handlers in this process. Collected once all modules are created, and checked before anything is
 * announced or handled: a missing or duplicate handler stops the process, with every mismatch in the message.
 */
@Injectable()
export class Topology implements OnModuleInit {
  /** By queue. */
  readonly consumers = new Map<string, ConsumerEntry>();
  /** By name. */
  readonly schedules = new Map<string, ScheduleEntry>();
  retiredSchedules: readonly RetiredSchedule[] = [];
  /** Of `BullModule.registerQueue`, by name. */
  readonly plainQueues = new Set<string>();
  private readonly events = new Map<string, EventDefinition>();

  constructor(
    @Inject(MESSAGING_ROLE) private readonly role: MessagingRole,
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  /** @throws TopologyError */
  onModuleInit(): void {
    const found = this.discover();
    const problems = this.role === 'worker' ? topologyProblems(found) : publicProblems(found);
    if (problems.length > 0) throw new TopologyError(problems);
    for (const event of found.events) this.events.set(event.name, event);
    this.retiredSchedules = found.retiredSchedules;
  }

  /** @throws Error when no feature lists the event: its consumers would not have been checked. */
  requireDeclared(event: EventDefinition): void {
    if (this.events.get(event.name) !== event) {
      throw new Error(
        `${event.name} is not declared; list it in its feature's MessagingModule.forFeature({ events })`,
      );
    }
  }

  /** @param queues the queue of each worker that was made @throws TopologyError */
  requireWorkers(queues: readonly string[]): void {
    const problems = workerProblems([...this.plainQueues], [...this.consumers.keys()], queues);
    if (problems.length > 0) throw new TopologyError(problems);
  }

  private discover(): FoundTopology {
    const refused: string[] = [];
    let configurations = 0;
    const features: FeatureDeclarations[] = [];
    const processors: FoundTopology['processors'][number][] = [];
    const schedules: FoundTopology['schedules'][number][] = [];
    for (const wrapper of this.discovery.getProviders()) {
      const instance = wrapper.instance as object | undefined;
      const type = wrapper.metatype && !wrapper.inject ? wrapper.metatype : instance?.constructor;
      const processor = type && processorOf(type);
      if (instance instanceof FeatureDeclarations) features.push(instance);
      if (instance instanceof PlainQueue) this.plainQueues.add(instance.name);
      if (instance instanceof Queue)
        refused.push(
          `the queue ${instance.name} was registered before messaging was loaded; import platform/messaging before the feature`,
        );
      if (instance instanceof QueueEventsHost)
        refused.push(
          `${instance.constructor.name} listens to a queue's events, which every worker would do; use @OnWorkerEvent in the processor`,
        );
      if (wrapper.token === getSharedConfigToken() && ++configurations > 1)
        refused.push('BullModule.forRoot is called by a feature; take it out, queues use REDIS_URL');
      if (!type || typeof type !== 'function' || !type.prototype) continue;
      const methods = this.methodsOf(type.prototype as object, instance);
      if (processor) {
        const handlers = methods.flatMap((method) =>
          handledBy(method.of).map((handled) => ({ method: method.name, run: method.run, ...handled })),
        );
        const isConsumer = type.prototype instanceof EventConsumer;
        processors.push({
          className: type.name,
          queue: processor.queue,
          isConsumer,
          isStatic: wrapper.isDependencyTreeStatic(),
          handlers,
        });
        if (instance instanceof EventConsumer) {
          const byName = handlers.map(
            (handler) => [handler.event.name, handler as unknown as EventHandler] as const,
          );
          this.consumers.set(processor.queue, { ...processor, handlers: new Map(byName) });
        }
      }
      for (const method of methods) {
        const schedule = scheduleOf(method.of);
        if (!schedule) continue;
        const queue = schedule.queue ?? MAINTENANCE_QUEUE;
        schedules.push({ where: `${type.name}.${method.name}`, ...schedule, queue });
        this.schedules.set(schedule.name, { ...schedule, queue, run: method.run as () => Promise<unknown> });
      }
    }
    return {
      events: features.flatMap(({ events }) => events),
      queues: features.flatMap(({ queues }) => queues),
      plainQueues: [...this.plainQueues],
      refused,
      processors,
      schedules,
      retiredSchedules: features.flatMap(({ retiredSchedules }) => retiredSchedules),
    };
  }

  private methodsOf(prototype: object, instance: object | undefined): Method[] {
    return this.scanner.getAllMethodNames(prototype).map((name) => {
      const of = (prototype as Record<string, Method['run']>)[name]!;
      return { name, of, run: (...args) => of.apply(instance, args) };
    });
  }
}

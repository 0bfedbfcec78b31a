import { Global, Module, type DynamicModule, type Provider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { BullModule } from '@nestjs/bullmq';
import { TypeOrmModule } from '@nestjs/typeorm';
import { BackgroundThrottle } from './consuming/background-throttle.js';
import { MaintenanceProcessor } from './consuming/maintenance.processor.js';
import { MAINTENANCE_QUEUE } from './topology/decorators.js';
import { WorkerJobs } from './consuming/worker-jobs.js';
import { DeadLetter } from './dead-letters/dead-letter.entity.js';
import { DeadLetters } from './dead-letters/dead-letters.js';
import type { EventDefinition } from './events.js';
import { Inbox } from './inbox/inbox.js';
import { InboxEntry } from './inbox/inbox-entry.entity.js';
import { MessagingMetrics, messagingMetrics } from './messaging.metrics.js';
import { MessagingRuntime } from './messaging-runtime.js';
import { BacklogMeter } from './relay/backlog-meter.js';
import { OutboxEvent } from './outbox/outbox-event.entity.js';
import { OutboxRepository } from './outbox/outbox.repository.js';
import { OutboxLimit } from './outbox/outbox-limit.js';
import { OutboxSweep } from './outbox/outbox-sweep.js';
import { Outbox } from './outbox/outbox.js';
import { Redelivery } from './relay/redelivery.js';
import { Relay } from './relay/relay.js';
import { QueueConnections } from './queues/queue-connections.js';
import { NoFlowProducer, PlainQueue } from './queues/plain-queue.js';
import { DataLossDetector } from './queues/data-loss-detector.js';
import { QueueUpkeep } from './relay/queue-upkeep.js';
import { Queues } from './queues/queues.js';
import { Schedulers } from './schedules/schedulers.js';
import { FeatureDeclarations, type RetiredSchedule } from './topology/declarations.js';
import { MESSAGING_ROLE, Topology, type MessagingRole } from './topology/topology.js';

// Nest reads these when a feature calls `registerQueue`, as in its documentation: features are loaded after this.
BullModule.queueClass = PlainQueue as never;
BullModule.flowProducerClass = NoFlowProducer as never;

/** Providers for announcing; enough for the api and for commands, and without a connection to Redis. */
const announcing: Provider[] = [Topology, Outbox, OutboxLimit, OutboxRepository, Inbox, DeadLetters];

/** Providers for relaying and handling; the worker's. */
const handling: Provider[] = [
  ...messagingMetrics,
  MessagingMetrics,
  QueueConnections,
  Queues,
  DataLossDetector,
  QueueUpkeep,
  Schedulers,
  Relay,
  Redelivery,
  BacklogMeter,
  BackgroundThrottle,
  WorkerJobs,
  MaintenanceProcessor,
  OutboxSweep,
  MessagingRuntime,
  { provide: FeatureDeclarations, useValue: new FeatureDeclarations([], [MAINTENANCE_QUEUE]) },
];

/** Outbox, relay, queues, inbox and dead letters (docs/decisions/0003-outbox-inbox.md). */
@Global()
@Module({})
export class MessagingModule {
  /** Import it once per process. In the worker, `MessagingRuntime.start` begins the work. */
  static forRoot({ role }: { role: MessagingRole }): DynamicModule {
    const entities = TypeOrmModule.forFeature([OutboxEvent, InboxEntry, DeadLetter]);
    const shared = [Outbox, OutboxLimit, Inbox, DeadLetters];
    return {
      module: MessagingModule,
      imports: [
        DiscoveryModule,
        entities,
        BullModule.forRootAsync({
          inject: [Outbox],
          useFactory: (writer: Outbox) => ({ writer }) as never,
          // Never in the api, and in the worker not before it has been checked that every event has its handler.
          extraOptions: { manualRegistration: true },
        }),
        // The call adds the registrar that creates workers, also to a product without plain queues.
        BullModule.registerQueue(),
      ],
      providers: [
        { provide: MESSAGING_ROLE, useValue: role },
        ...announcing,
        ...(role === 'worker' ? handling : []),
      ],
      exports: role === 'worker' ? [...shared, MessagingRuntime] : shared,
    };
  }

  /**
   * Declares what a feature announces and handles.
   * @param events that the feature announces, each in one feature only
   * @param queues that its processors serve, each in one feature only
   * @param retiredSchedules that earlier releases had and no running one has any more: list a schedule one release after the one
   * that removed its method, because during a rollout the old version still needs it
   */
  static forFeature({
    events = [],
    queues = [],
    retiredSchedules = [],
  }: {
    // Payload types differ; what is checked here does not look at them.
    events?: readonly EventDefinition[];
    queues?: readonly string[];
    retiredSchedules?: readonly RetiredSchedule[];
  }): DynamicModule {
    return {
      module: FeatureMessagingModule,
      providers: [
        {
          provide: FeatureDeclarations,
          useValue: new FeatureDeclarations(events, queues, retiredSchedules),
        },
      ],
    };
  }
}

@Module({})
class FeatureMessagingModule {}

import type { EventDefinition } from '../events.js';

/** What one feature declared with `MessagingModule.forFeature`. */
export class FeatureDeclarations {
  constructor(
    readonly events: readonly EventDefinition[],
    readonly queues: readonly string[],
    readonly retiredSchedules: readonly RetiredSchedule[] = [],
  ) {}
}

/** A schedule of earlier releases, still in Redis. */
export interface RetiredSchedule {
  name: string;
  queue: string;
}

/** A class with `@EventProcessor`, as far as the check at start needs it. */
export interface FoundProcessor {
  className: string;
  queue: string;
  /** Whether the class extends `EventConsumer`. */
  isConsumer: boolean;
  /** Whether there is one instance for all jobs. */
  isStatic: boolean;
  handlers: { method: string; event: EventDefinition; concurrency?: number }[];
}

/** A method with `@Scheduled`. */
export interface FoundSchedule {
  /** Class and method, for messages. */
  where: string;
  name: string;
  queue: string;
  pattern?: string;
  timeZone?: string;
}

/** Everything that announces, carries and handles in one process. */
export interface FoundTopology {
  events: readonly EventDefinition[];
  queues: readonly string[];
  /** Of `BullModule.registerQueue`. */
  plainQueues: readonly string[];
  /** Unsupported uses that were found, in words. */
  refused: readonly string[];
  processors: readonly FoundProcessor[];
  schedules: readonly FoundSchedule[];
  retiredSchedules: readonly RetiredSchedule[];
}

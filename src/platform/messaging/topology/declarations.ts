import type { EventDefinition } from '../events.js';

/** What one feature told `MessagingModule.forFeature`. */
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

/** A class with `@EventProcessor`, as far as its correctness at start goes. */
export interface FoundProcessor {
  className: string;
  queue: string;
  /** Whether the class extends `EventConsumer`. */
  isConsumer: boolean;
  /** Whether there is one instance for all jobs. */
  isStatic: boolean;
  handlers: { method: string; event: EventDefinition }[];
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
  /** What was found and cannot be supported, in words. */
  refused: readonly string[];
  processors: readonly FoundProcessor[];
  schedules: readonly FoundSchedule[];
  retiredSchedules: readonly RetiredSchedule[];
}

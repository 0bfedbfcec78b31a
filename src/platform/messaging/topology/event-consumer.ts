import { Inject } from '@nestjs/common';
import { WorkerHost } from '@nestjs/bullmq';
import { Inbox } from '../inbox/inbox.js';

/**
 * Base of the processors: extend it, decorate the class with `@EventProcessor` and its methods with `@Handles`.
 * Effects go through `this.inbox`, so that a redelivery changes nothing.
 */
export abstract class EventConsumer extends WorkerHost {
  @Inject(Inbox)
  protected readonly inbox!: Inbox;

  /** Never called: messaging gives each event to its handler. */
  process(): Promise<never> {
    throw new Error(`${this.constructor.name} handles events by its methods with @Handles`);
  }
}

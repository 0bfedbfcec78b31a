import { Inject } from '@nestjs/common';
import { WorkerHost } from '@nestjs/bullmq';
import type { Job } from 'bullmq';
import { Inbox } from '../inbox/inbox.js';

/** Runs a job of a queue. */
export interface JobRunner {
  run(queue: string, job: Job, token: string): Promise<void>;
}

/**
 * Base of the processors: extend it, decorate the class with `@EventProcessor` and its methods with `@Handles`.
 * Effects go through `this.inbox`, so that a redelivery changes nothing.
 */
export abstract class EventConsumer extends WorkerHost {
  @Inject(Inbox)
  protected readonly inbox!: Inbox;

  #run?: (job: Job, token: string) => Promise<void>;

  /** Called by messaging when the worker starts; in the api nobody does, and nothing runs. */
  attach(runner: JobRunner, queue: string): void {
    this.#run = (job, token) => runner.run(queue, job, token);
  }

  /** Called by BullMQ. */
  process(job: Job, token = ''): Promise<void> {
    if (!this.#run) throw new Error(`${this.constructor.name} was given a job before messaging was started`);
    return this.#run(job, token);
  }
}

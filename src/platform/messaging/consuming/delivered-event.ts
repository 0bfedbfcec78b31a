import type { Job } from 'bullmq';
import type { RequestContext } from '../../context/index.js';
import type { DeliveredEvent } from '../events.js';
import type { EventJob } from '../queues/queues.js';

/** A job seen as the event in it. */
export class Delivery implements DeliveredEvent {
  readonly id: string;
  readonly name: string;
  readonly payload: object;
  readonly key: string | null;
  readonly occurredAt: Date;
  readonly requestId: string;
  readonly attempt: number;
  private controller?: AbortController;

  constructor(
    job: Job<EventJob>,
    readonly consumer: string,
    private readonly context: RequestContext,
  ) {
    const { payload, key, occurredAt } = job.data;
    this.id = job.id ?? '';
    this.name = job.name;
    this.payload = payload;
    this.key = key;
    this.occurredAt = new Date(occurredAt);
    this.requestId = context.requestId;
    this.attempt = job.attemptsMade + 1;
  }

  /** Made on first use: most handlers end long before anybody would abort them. */
  get signal(): AbortSignal {
    if (!this.controller) {
      const controller = new AbortController();
      this.context.onAbort((reason) => controller.abort(reason));
      this.controller = controller;
    }
    return this.controller.signal;
  }
}

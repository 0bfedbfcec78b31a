import type { Job, JobsOptions } from 'bullmq';
import { isUuid, newId, type RequestContext } from '../../context/index.js';
import type { DeliveredEvent } from '../events.js';
import type { EventJob, PlainJobOrigin } from '../queues/queues.js';

/** The content of a job, in either form. */
export interface Envelope {
  id: string;
  payload: object;
  key: string | null;
  /** When it was announced, or its earliest time to run. Epoch milliseconds. */
  occurredAt: number;
  requestId: string;
  trace: string | null;
  /** Of a plain job: the options to keep with its dead letter. */
  options: JobsOptions | null;
  /** Whether it came through the outbox, and so is recorded in the inbox. */
  isOurs: boolean;
}

/** Reads the job of an event. */
export function eventEnvelope(job: Job<EventJob>): Envelope {
  const { payload, key, occurredAt, requestId, trace = null } = job.data;
  const id = job.id ?? '';
  return { id, payload, key, occurredAt, requestId: requestId ?? id, trace, options: null, isOurs: true };
}

/** Reads a job of a plain queue. Another application may have added it: then it has no origin, and its id is none of ours. */
export function plainEnvelope(job: Job<object>): Envelope {
  const { attempts, backoff, priority, lifo, delay = 0 } = job.opts;
  const origin = originOf(job);
  const id = (origin && job.id) || newId();
  return {
    id,
    payload: job.data,
    key: null,
    occurredAt: job.timestamp + delay,
    requestId: origin?.requestId ?? id,
    trace: origin?.traceparent ?? null,
    options: { attempts, backoff, priority, lifo },
    isOurs: origin !== undefined,
  };
}

/** Applications with BullMQ's telemetry keep their trace in the same place. */
function originOf({ id = '', opts }: Job): PlainJobOrigin | undefined {
  if (!isUuid(id)) return undefined;
  try {
    const origin = JSON.parse(opts.telemetry?.metadata ?? '') as Partial<PlainJobOrigin> | null;
    return origin?.requestId === undefined ? undefined : (origin as PlainJobOrigin);
  } catch {
    return undefined;
  }
}

/** A job seen as the event in it. */
export class Delivery implements DeliveredEvent {
  readonly id: string;
  readonly payload: object;
  readonly key: string | null;
  readonly occurredAt: Date;
  readonly requestId: string;
  private controller?: AbortController;

  constructor(
    { id, payload, key, occurredAt, requestId }: Envelope,
    readonly name: string,
    readonly consumer: string,
    readonly attempt: number,
    readonly attempts: number,
    private readonly context: RequestContext,
  ) {
    this.id = id;
    this.payload = payload;
    this.key = key;
    this.occurredAt = new Date(occurredAt);
    this.requestId = requestId;
  }

  /** Created on first use: most handlers end long before they could be aborted. */
  get signal(): AbortSignal {
    if (!this.controller) {
      const controller = new AbortController();
      this.context.onAbort((reason) => controller.abort(reason));
      this.controller = controller;
    }
    return this.controller.signal;
  }
}

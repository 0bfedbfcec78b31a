import { Inject, Injectable, Logger } from '@nestjs/common';
import { Queue, type JobsOptions } from 'bullmq';
import { Settings } from '../../../config/index.js';
import { piecesOf } from '../../redis/index.js';
import { FULL_JITTER } from './retries.js';
import { QueueConnections } from './queue-connections.js';

/** A claimed event as the relay moves it. */
export interface ClaimedEvent {
  id: string;
  /** Order of announcement. */
  position: number;
  name: string;
  consumers: string[];
  /** JSON text: it is passed on as it is. */
  payload: string;
  key: string | null;
  /** JSON text of a plain job's options; null for an event. */
  options: string | null;
  requestId: string | null;
  /** `traceparent` of the span in which it was announced, when that is recorded. */
  traceContext: string | null;
  /** Epoch milliseconds. */
  occurredAt: number;
  /** When it was claimed: the fencing token of the claiming relay. */
  claimedAt: Date;
}

/** An event as a job. Short names, because Redis holds one in memory for every waiting event. */
export interface EventJob {
  payload: object;
  key: string | null;
  /** Epoch milliseconds. */
  occurredAt: number;
  requestId: string | null;
  /** `traceparent` of the announcing span. Absent when that was not recorded. */
  trace?: string;
}

/** What a plain job carries besides its data, in BullMQ's place for trace data (`opts.telemetry.metadata`). */
export interface PlainJobOrigin {
  requestId: string | null;
  traceparent: string | null;
}

interface QueuedJob {
  name: string;
  data: unknown;
  opts: JobsOptions;
}

/** The queues, created when first needed: during a rollout a relay must also move events of a newer version's consumers. */
@Injectable()
export class Queues {
  private readonly logger = new Logger(Queues.name);
  private readonly queues = new Map<string, Queue>();

  constructor(
    private readonly connections: QueueConnections,
    @Inject(Settings) private readonly settings: Settings,
  ) {}

  get(name: string): Queue {
    let queue = this.queues.get(name);
    if (!queue) {
      queue = this.make(name);
      this.queues.set(name, queue);
    }
    return queue;
  }

  /**
   * Adds events to their consumers' queues, in order. The job's id is the event's: adding one that still waits there does nothing.
   * @throws Error when Redis did not accept all of them; some may have been added.
   */
  async add(events: readonly ClaimedEvent[]): Promise<void> {
    const jobs = new Map<string, QueuedJob[]>();
    for (const event of events) {
      const job = event.options === null ? eventJob(event) : plainJob(event, event.options);
      for (const consumer of event.consumers) {
        const list = jobs.get(consumer) ?? [];
        if (list.length === 0) jobs.set(consumer, list);
        list.push(job);
      }
    }
    // In pieces: creating and sending five hundred jobs at once would block the event loop for as long as a probe waits.
    const addAll = async (consumer: string, list: QueuedJob[]): Promise<void> => {
      for (const piece of piecesOf(list)) await this.get(consumer).addBulk(piece);
    };
    await Promise.all([...jobs].map(([consumer, list]) => addAll(consumer, list)));
  }

  private make(name: string): Queue {
    const { redis, messaging } = this.settings;
    const queue = new Queue(name, {
      connection: this.connections.producer,
      prefix: redis.prefix,
      skipWaitingForReady: true,
      skipVersionCheck: true,
      defaultJobOptions: {
        attempts: messaging.attempts,
        backoff: { type: FULL_JITTER },
        removeOnComplete: true,
        // Dead letters are in PostgreSQL.
        removeOnFail: true,
      },
    });
    queue.on('error', (error) => this.logger.debug({ err: error, queue: name }, 'A queue reports an error'));
    return queue;
  }
}

function eventJob(event: ClaimedEvent): QueuedJob {
  const data: EventJob = {
    payload: JSON.parse(event.payload) as object,
    key: event.key,
    occurredAt: event.occurredAt,
    requestId: event.requestId,
    ...(event.traceContext === null ? undefined : { trace: event.traceContext }),
  };
  return { name: event.name, data, opts: { jobId: event.id } };
}

function plainJob(event: ClaimedEvent, text: string): QueuedJob {
  const options = JSON.parse(text) as JobsOptions;
  const origin: PlainJobOrigin = { requestId: event.requestId, traceparent: event.traceContext };
  return {
    name: event.name,
    data: JSON.parse(event.payload) as unknown,
    opts: {
      ...options,
      jobId: event.id,
      // BullMQ counts the delay from now, so the time spent in the outbox is subtracted, by the clock of PostgreSQL.
      timestamp: event.occurredAt - (options.delay ?? 0),
      telemetry: { metadata: JSON.stringify(origin) },
    },
  };
}

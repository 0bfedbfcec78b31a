import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { Settings } from '../../../config/index.js';
import { BackgroundThrottle } from '../consuming/background-throttle.js';
import { isTransient } from '../queues/retries.js';
import { isReply } from '../../redis/index.js';
import { OutageLog } from '../../runtime/index.js';
import { MessagingMetrics } from '../messaging.metrics.js';
import { QueueConnections } from '../queues/queue-connections.js';
import { QueueUpkeep } from './queue-upkeep.js';
import { Queues, type ClaimedEvent } from '../queues/queues.js';
import { OutboxRepository, type RedeliveryPolicy } from '../outbox/outbox.repository.js';
import { Redelivery } from './redelivery.js';
import { RelayCursor } from './relay-cursor.js';

/** While background work yields: pause after each batch, and share of a batch. The outbox is the cheapest place to wait. */
const YIELDING = { pauseMs: 500, batchShare: 0.02 };
/** Longest time between two deliveries of an event that no consumer records. */
const REDELIVERY_AT_MOST_MS = 3_600_000;
/** Wait after a failure, doubled up to the second value. */
const RETRY_MS = 100;
const RETRY_AT_MOST_MS = 1000;

/**
 * Moves events from the outbox to the queues: claims a batch in one short statement, then adds it to Redis outside any
 * transaction. Any number of relays may run at once.
 *
 * A failure is reported once and retried. A process that dies in between loses nothing, because a claim is only a lease
 * (docs/decisions/0003-outbox-inbox.md).
 */
@Injectable()
export class Relay {
  private readonly logger = new Logger(Relay.name);
  private readonly outage = new OutageLog(this.logger, {
    begins: 'The relay cannot move events; they stay in the outbox',
    ends: 'The relay moves events again',
  });
  private readonly cursor = new RelayCursor();
  private readonly policy: RedeliveryPolicy;
  private stopping?: AbortController;
  private stopped: Promise<void> = Promise.resolve();
  private failures = 0;
  private trouble?: string;

  constructor(
    private readonly outbox: OutboxRepository,
    private readonly queues: Queues,
    private readonly connections: QueueConnections,
    private readonly upkeep: QueueUpkeep,
    private readonly redelivery: Redelivery,
    private readonly throttle: BackgroundThrottle,
    private readonly metrics: MessagingMetrics,
    @Inject(Settings) private readonly settings: Settings,
  ) {
    const { redeliveryAfterMs } = settings.messaging;
    this.policy = {
      afterMs: redeliveryAfterMs,
      atMostMs: Math.max(REDELIVERY_AT_MOST_MS, redeliveryAfterMs),
    };
  }

  /** Why it currently makes no progress, or undefined when it does. */
  get problem(): string | undefined {
    return this.trouble;
  }

  /** Moves events, until `stop`. */
  start(): void {
    this.stopping = new AbortController();
    this.stopped = this.loop(this.stopping.signal);
  }

  /** Claims nothing more. Resolves when the current batch is queued or released, which the timeouts of its steps bound. */
  async stop(): Promise<void> {
    this.stopping?.abort();
    await this.stopped;
  }

  private async loop(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      let wait = this.settings.messaging.pollIntervalMs;
      try {
        const more = await this.pass();
        if (this.throttle.isOn) wait = YIELDING.pauseMs;
        else if (more) wait = 0;
        this.recovered();
      } catch (error) {
        wait = this.failed(error);
      }
      // Even when there is more work, everything else in this process gets its turn.
      if (wait === 0) await nextTurn();
      else await delay(wait, undefined, { signal: stopping }).catch(() => undefined);
    }
  }

  /** One turn. @returns whether there is more to do at once */
  private async pass(): Promise<boolean> {
    // While Redis is down nothing is claimed: it could only be released again.
    if (this.failures > 0) await this.connections.ping();
    const now = performance.now();
    await this.upkeep.run(now);
    const more = await this.lookAfterRelayed(now);
    return (await this.move()) || more;
  }

  /** A failure here is due again, and must not delay new events. */
  private async lookAfterRelayed(now: number): Promise<boolean> {
    try {
      const { due, more } = await this.redelivery.run(now);
      if (due > 0) this.cursor.rewind();
      return more;
    } catch (error) {
      if (!isTransient(error)) this.logger.error({ err: error }, 'Redelivery of relayed events failed');
      return false;
    }
  }

  private async move(): Promise<boolean> {
    const { batchSize: usual } = this.settings.messaging;
    const batchSize = this.throttle.isOn ? Math.ceil(usual * YIELDING.batchShare) : usual;
    const events = await this.outbox.claim(this.cursor.next(performance.now()), batchSize, this.policy);
    const last = events.at(-1);
    if (!last) return false;
    this.cursor.claimed(last.position, performance.now());
    await this.add(events);
    for (const { name } of events) this.metrics.relayed.inc({ event: this.metrics.label(name) });
    return events.length === batchSize;
  }

  private async add(events: ClaimedEvent[]): Promise<void> {
    try {
      await this.queues.add(events);
    } catch (error) {
      if (mayBeAboutAnEvent(error) && (await this.addOneByOne(events))) return;
      await this.outbox.handBack(events);
      this.cursor.rewind();
      throw error;
    }
  }

  /**
   * Redis rejected something in the batch: one event that it cannot accept must not block all later ones. That event keeps its
   * claim, and is due again after ever longer delays.
   * @returns false when it accepts none at all
   * @throws Error when it is not about an event
   */
  private async addOneByOne(events: ClaimedEvent[]): Promise<boolean> {
    const refused: string[] = [];
    let reason: unknown;
    for (const event of events) {
      try {
        await this.queues.add([event]);
      } catch (error) {
        if (!mayBeAboutAnEvent(error)) throw error;
        refused.push(event.id);
        reason ??= error;
      }
    }
    if (refused.length === events.length) return false;
    this.logger.error({ err: reason, count: refused.length, first: refused[0] }, 'Redis rejects events');
    return true;
  }

  /** @returns how long to wait */
  private failed(error: unknown): number {
    this.failures += 1;
    this.outage.failed(error);
    this.trouble = (error as Error).message;
    return Math.min(RETRY_MS * 2 ** Math.min(this.failures - 1, 10), RETRY_AT_MOST_MS);
  }

  private recovered(): void {
    this.failures = 0;
    this.trouble = undefined;
    this.outage.recovered();
  }
}

/**
 * Whether Redis may have rejected one of the events. Other codes are about the server: it is full (OOM), read-only, loading, or
 * denies us access. Trying each of 500 events then wrote 8 MB of log in 10 s.
 */
function mayBeAboutAnEvent(error: unknown): boolean {
  return isReply(error) && /^(ERR|WRONGTYPE)\b/.test(error.message);
}

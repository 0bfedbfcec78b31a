import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { Settings } from '../../../config/index.js';
import { isNotThePrimary, knownFailure, redisClient } from '../../redis/index.js';
import { OutageLog, within } from '../../runtime/index.js';

/** Milliseconds without a byte after which the relay's connection counts as dead: a frozen server never closes it. */
const PRODUCER_SOCKET_TIMEOUT_MS = 3000;
/** The same for workers, whose blocking reads are silent for up to ten seconds. */
const CONSUMER_SOCKET_TIMEOUT_MS = 15_000;
const PING_TIMEOUT_MS = 700;

/**
 * The worker's connections to the Redis that holds the queues: one to add jobs, which fails fast because the outbox keeps jobs
 * that could not be added, and one to run them (with a blocking copy per queue), which waits for Redis without a limit.
 */
@Injectable()
export class QueueConnections {
  readonly producer: Redis;
  readonly consumer: Redis;
  private readonly logger = new Logger(QueueConnections.name);
  private readonly copies: Redis[] = [];
  private readonly outage = new OutageLog(this.logger, {
    begins: 'Redis does not answer; events wait in the outbox',
    ends: 'Redis answers again',
  });

  constructor(@Inject(Settings) { app, redis }: Settings) {
    this.producer = redisClient(redis, {
      connectionName: `${app.name}-relay`,
      socketTimeout: PRODUCER_SOCKET_TIMEOUT_MS,
      // Not 1: then a command that was under way when the connection to a frozen server timed out would only fail once the server
      // is back.
      maxRetriesPerRequest: 0,
    });
    this.consumer = redisClient(redis, {
      connectionName: `${app.name}-worker`,
      socketTimeout: CONSUMER_SOCKET_TIMEOUT_MS,
      maxRetriesPerRequest: null,
      // Rejected commands are sent again to the new primary: otherwise jobs that ended meanwhile would count as stalled, and run
      // again.
      reconnectOnError: (error) => isNotThePrimary(error) && 2,
    });
    // BullMQ makes the blocking connections itself, as copies. Kept, because BullMQ cannot close one that never connected;
    // not lazy, because it would treat the failure of a lazy one's first attempt as its end.
    const duplicate = this.consumer.duplicate.bind(this.consumer);
    this.consumer.duplicate = (override) => {
      const copy = this.watched(duplicate({ ...override, lazyConnect: false }));
      this.copies.push(copy);
      return copy;
    };
    this.watched(this.producer).on('ready', () => this.outage.recovered());
    this.watched(this.consumer);
  }

  /** Starts connecting; does not wait, because Redis may be down. */
  open(): void {
    for (const client of [this.producer, this.consumer]) client.connect().catch(() => undefined);
  }

  /** Resolves when Redis answers soon. @throws Error when not */
  async ping(): Promise<void> {
    await within(PING_TIMEOUT_MS, this.producer.ping(), () => new Error('Redis did not answer'));
  }

  /** Closes all of them at once: the drain has waited for everything that matters. */
  close(): void {
    for (const client of [this.producer, this.consumer, ...this.copies]) client.disconnect();
  }

  private watched(client: Redis): Redis {
    // An `error` event without a listener ends the process.
    return client.on('error', (error: Error) => this.outage.failed(error, knownFailure(error)));
  }
}

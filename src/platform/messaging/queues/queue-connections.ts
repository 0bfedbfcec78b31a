import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { Settings } from '../../../config/index.js';
import { isNotThePrimary, knownFailure, redisClient } from '../../redis/index.js';
import { OutageLog, within } from '../../runtime/index.js';

/** Milliseconds without a byte after which the relay's connection counts as dead: a frozen server never closes it. */
const PRODUCER_SOCKET_TIMEOUT_MS = 3000;
/** As above for workers, whose blocking reads keep silent for up to ten seconds. */
const CONSUMER_SOCKET_TIMEOUT_MS = 15_000;
const PING_TIMEOUT_MS = 700;

/**
 * The worker's connections to the Redis that holds the queues: one to add jobs, which gives up soon because the outbox
 * keeps what could not be added, and one to run them (with a blocking copy per queue), which waits for Redis as long as it takes.
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
      // Not 1: then a command that was under way when a frozen server was given up would only fail once the server is back.
      maxRetriesPerRequest: 0,
    });
    this.consumer = redisClient(redis, {
      connectionName: `${app.name}-worker`,
      socketTimeout: CONSUMER_SOCKET_TIMEOUT_MS,
      maxRetriesPerRequest: null,
      // What was refused is sent again to the new primary: otherwise jobs that ended meanwhile would count as stalled, and run again.
      reconnectOnError: (error) => isNotThePrimary(error) && 2,
    });
    // BullMQ makes the blocking connections itself, as copies. Kept, because one that never got through cannot be closed by it;
    // not lazy, because it would take the failure of a lazy one's first attempt for its end.
    const duplicate = this.consumer.duplicate.bind(this.consumer);
    this.consumer.duplicate = (override) => {
      const copy = this.watched(duplicate({ ...override, lazyConnect: false }));
      this.copies.push(copy);
      return copy;
    };
    this.watched(this.producer).on('ready', () => this.outage.recovered());
    this.watched(this.consumer);
  }

  /** Starts connecting; does not wait, as Redis may be away. */
  open(): void {
    for (const client of [this.producer, this.consumer]) client.connect().catch(() => undefined);
  }

  /** Resolves when Redis answers soon. @throws Error when not */
  async ping(): Promise<void> {
    await within(PING_TIMEOUT_MS, this.producer.ping(), () => new Error('Redis did not answer'));
  }

  /** Closes all of them, at once: whatever was worth waiting for has been waited for. */
  close(): void {
    for (const client of [this.producer, this.consumer, ...this.copies]) client.disconnect();
  }

  private watched(client: Redis): Redis {
    // An `error` event that nobody hears ends the process.
    return client.on('error', (error: Error) => this.outage.failed(error, knownFailure(error)));
  }
}

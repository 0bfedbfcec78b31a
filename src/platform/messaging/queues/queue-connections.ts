import { Inject, Injectable, Logger } from '@nestjs/common';
import { Redis, type RedisOptions } from 'ioredis';
import { Settings } from '../../../config/index.js';
import { bounded } from './bounded.js';

/** Milliseconds between attempts to reach a Redis that is away. */
const RECONNECT_AFTER_MS = 300;
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
  private away = false;

  constructor(@Inject(Settings) { redis }: Settings) {
    const common: RedisOptions = {
      lazyConnect: true,
      connectTimeout: 2000,
      retryStrategy: () => RECONNECT_AFTER_MS,
    };
    this.producer = new Redis(redis.url, {
      ...common,
      connectionName: 'holdfast-relay',
      socketTimeout: PRODUCER_SOCKET_TIMEOUT_MS,
      // Not 1: then a command that was under way when a frozen server was given up would only fail once the server is back.
      maxRetriesPerRequest: 0,
    });
    this.consumer = new Redis(redis.url, {
      ...common,
      connectionName: 'holdfast-worker',
      socketTimeout: CONSUMER_SOCKET_TIMEOUT_MS,
      maxRetriesPerRequest: null,
    });
    // BullMQ makes the blocking connections itself, as copies. Kept, because one that never got through cannot be closed by it;
    // not lazy, because it would take the failure of a lazy one's first attempt for its end.
    const duplicate = this.consumer.duplicate.bind(this.consumer);
    this.consumer.duplicate = (override) => {
      const copy = this.watched(duplicate({ ...override, lazyConnect: false }));
      this.copies.push(copy);
      return copy;
    };
    this.watched(this.producer).on('ready', () => this.reportBack());
    this.watched(this.consumer);
  }

  /** Starts connecting; does not wait, as Redis may be away. */
  open(): void {
    for (const client of [this.producer, this.consumer]) client.connect().catch(() => undefined);
  }

  /** Resolves when Redis answers soon. @throws Error when not */
  async ping(): Promise<void> {
    await bounded(this.producer.ping(), PING_TIMEOUT_MS, 'Redis did not answer');
  }

  /** Closes all of them, at once: whatever was worth waiting for has been waited for. */
  close(): void {
    for (const client of [this.producer, this.consumer, ...this.copies]) client.disconnect();
  }

  private watched(client: Redis): Redis {
    // An `error` event that nobody hears ends the process.
    return client.on('error', (error: Error) => this.reportAway(error));
  }

  private reportAway(error: Error): void {
    if (this.away) return;
    this.away = true;
    this.logger.warn({ err: error }, 'Redis does not answer; events wait in the outbox');
  }

  private reportBack(): void {
    if (!this.away) return;
    this.away = false;
    this.logger.log('Redis answers again');
  }
}

import { Injectable } from '@nestjs/common';
import { RedisConnection } from './redis-connection.js';

/** How long a signal lasts without renewal. Milliseconds; it is renewed each second. */
const STANDS_MS = 2500;

/**
 * The signal by which processes that reject requests ask background work to yield, because that needs the same processors and the
 * same database. Without Redis there is no signal, and nothing yields.
 */
@Injectable()
export class OverloadSignal {
  private readonly key: string;

  constructor(private readonly redis: RedisConnection) {
    this.key = redis.key('overload');
  }

  /** Sets the signal for a moment. */
  async raise(): Promise<void> {
    await this.redis.run((client) => client.set(this.key, '1', 'PX', STANDS_MS)).catch(() => undefined);
  }

  async isUp(): Promise<boolean> {
    const there = await this.redis.run((client) => client.exists(this.key)).catch(() => 0);
    return there === 1;
  }
}

import { Injectable } from '@nestjs/common';
import { RedisConnection } from './redis-connection.js';

/** For how long a signal stands that nobody renews. Milliseconds; it is renewed each second. */
const STANDS_MS = 2500;

/**
 * The signal by which processes that refuse requests ask background work to give way: it needs the same processors and the same
 * database. Without Redis there is no signal, and nothing gives way.
 */
@Injectable()
export class OverloadSignal {
  private readonly key: string;

  constructor(private readonly redis: RedisConnection) {
    this.key = redis.key('overload');
  }

  /** Puts it up, for a moment. */
  async raise(): Promise<void> {
    await this.redis.run((client) => client.set(this.key, '1', 'PX', STANDS_MS)).catch(() => undefined);
  }

  async isUp(): Promise<boolean> {
    const there = await this.redis.run((client) => client.exists(this.key)).catch(() => 0);
    return there === 1;
  }
}

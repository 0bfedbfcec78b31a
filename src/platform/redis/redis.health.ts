import { Injectable } from '@nestjs/common';
import { RedisConnection } from './redis-connection.js';

/** Whether Redis answers. Not essential: the process goes on without it. A `HealthCheck`, which does not depend on its caller. */
@Injectable()
export class RedisHealth {
  readonly name = 'redis';
  readonly essential = false;

  constructor(private readonly redis: RedisConnection) {}

  async check(): Promise<void> {
    await this.redis.run((client) => client.ping());
  }
}

import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HealthRegistry } from '../health/health.registry.js';
import { RedisConnection } from './redis-connection.js';

/** Whether Redis answers. Not essential: the process goes on without. */
@Injectable()
export class RedisHealth implements OnModuleInit {
  constructor(
    private readonly health: HealthRegistry,
    private readonly redis: RedisConnection,
  ) {}

  onModuleInit(): void {
    this.health.add({
      name: 'redis',
      essential: false,
      check: async () => {
        await this.redis.run((client) => client.ping());
      },
    });
  }
}

import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectMetric } from '@willsoto/nestjs-prometheus';
import type { Gauge } from 'prom-client';
import { HealthRegistry } from '../health/health.registry.js';
import { RedisConnection } from './redis-connection.js';

export const REDIS_UP = 'redis_up';

/** Redis in readiness and in metrics: reported when it is down, but no reason to take the process out, which goes on without. */
@Injectable()
export class RedisHealth implements OnModuleInit {
  constructor(
    private readonly health: HealthRegistry,
    private readonly redis: RedisConnection,
    @InjectMetric(REDIS_UP) private readonly up: Gauge,
  ) {}

  onModuleInit(): void {
    const check = async (): Promise<void> => {
      await this.redis.run((client) => client.ping());
    };
    this.health.add({ name: 'redis', essential: false, check });
    // Asked at each scrape: a process without traffic would not notice that Redis has frozen.
    const collect = (): Promise<void> =>
      check().then(
        () => this.up.set(1),
        () => this.up.set(0),
      );
    Object.assign(this.up, { collect });
  }
}

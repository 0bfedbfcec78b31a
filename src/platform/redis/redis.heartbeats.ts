import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HealthRegistry, type Heartbeats } from '../health/index.js';
import { RedisConnection } from './redis-connection.js';

/**
 * Heartbeats as one counter in Redis for each kind of instance and dependency: nothing grows with the number of instances, and no
 * clock is needed. An instance that has lost PostgreSQL still sees the others' heartbeats there.
 */
@Injectable()
export class RedisHeartbeats implements Heartbeats, OnModuleInit {
  constructor(
    private readonly health: HealthRegistry,
    private readonly redis: RedisConnection,
  ) {}

  onModuleInit(): void {
    this.health.heartbeats = this;
  }

  async beat(dependency: string): Promise<void> {
    await this.redis.run((client) => client.incr(this.keyOf(dependency)));
  }

  async beats(dependency: string): Promise<number> {
    return Number((await this.redis.run((client) => client.get(this.keyOf(dependency)))) ?? 0);
  }

  private keyOf(dependency: string): string {
    return this.redis.key('heartbeats', this.health.kind, dependency);
  }
}

import { Global, Module } from '@nestjs/common';
import { OverloadSignal } from './overload-signal.js';
import { RedisHeartbeats } from './redis.heartbeats.js';
import { RedisHealth } from './redis.health.js';
import { RedisConnection } from './redis-connection.js';

/**
 * The Redis connection of a process for operations that a request waits for: cache and limits. Queues have their own connections.
 */
@Global()
@Module({
  providers: [RedisConnection, RedisHealth, RedisHeartbeats, OverloadSignal],
  exports: [RedisConnection, RedisHealth, OverloadSignal],
})
export class RedisModule {}

import { Global, Module } from '@nestjs/common';
import { OverloadSign } from './overload-sign.js';
import { RedisHeartbeats } from './redis.heartbeats.js';
import { RedisHealth } from './redis.health.js';
import { RedisConnection } from './redis-connection.js';

/** The one Redis connection of a process for what a request waits for: cache and limits. Queues keep their own. */
@Global()
@Module({
  providers: [RedisConnection, RedisHealth, RedisHeartbeats, OverloadSign],
  exports: [RedisConnection, RedisHealth, OverloadSign],
})
export class RedisModule {}

import { Global, Module } from '@nestjs/common';
import { makeGaugeProvider } from '@willsoto/nestjs-prometheus';
import { OverloadSign } from './overload-sign.js';
import { REDIS_UP, RedisHealth } from './redis.health.js';
import { RedisConnection } from './redis-connection.js';

/** The one Redis connection of a process for what a request waits for: cache and limits. Queues keep their own. */
@Global()
@Module({
  providers: [
    RedisConnection,
    RedisHealth,
    OverloadSign,
    makeGaugeProvider({
      name: REDIS_UP,
      help: '1 while Redis answers in time, else 0: cache and rate limits go on without it.',
    }),
  ],
  exports: [RedisConnection, OverloadSign],
})
export class RedisModule {}

import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ThrottlerModule, type ThrottlerModuleOptions } from '@nestjs/throttler';
import { Settings } from '../../config/index.js';
import { LeaseStorage } from './lease-storage.js';
import { RateLimitGuard } from './rate-limit.guard.js';
import { DEFAULT_POLICY, RateLimiter } from './rate-limiter.js';

@Module({ providers: [LeaseStorage], exports: [LeaseStorage] })
class LeaseStorageModule {}

/**
 * Limits every route of the process (`@SkipThrottle()` exempts one, `@Throttle()` gives it its own limit). Global guards run in
 * the order in which modules are imported: import it after the module that authenticates. Needs `RedisModule`.
 */
@Global()
@Module({
  imports: [
    LeaseStorageModule,
    ThrottlerModule.forRootAsync({
      imports: [LeaseStorageModule],
      inject: [Settings, LeaseStorage],
      useFactory: ({ rateLimit }: Settings, storage: LeaseStorage): ThrottlerModuleOptions => ({
        throttlers: [
          { name: DEFAULT_POLICY, limit: rateLimit.requests, ttl: rateLimit.windowSeconds * 1000 },
        ],
        storage,
      }),
    }),
  ],
  providers: [RateLimiter, { provide: APP_GUARD, useClass: RateLimitGuard }],
  exports: [RateLimiter],
})
export class RateLimitModule {}

import { Module, type DynamicModule, type Type } from '@nestjs/common';
import type { Logger } from 'pino';
import { SettingsModule, type Settings } from './config/index.js';
import { CacheModule } from './platform/cache/index.js';
import { CpuModule } from './platform/cpu/index.js';
import { DatabaseHealth, DatabaseModule } from './platform/database/index.js';
import { HealthModule, type HealthRegistry } from './platform/health/index.js';
import { HttpModule } from './platform/http/index.js';
import { IdempotencyModule } from './platform/idempotency/index.js';
import { MessagingModule } from './platform/messaging/index.js';
import { LoggingModule } from './platform/observability/index.js';
import { RateLimitModule } from './platform/rate-limit/index.js';
import { RedisHealth, RedisModule } from './platform/redis/index.js';
import { ResilienceModule, type FaultInjector } from './platform/resilience/index.js';
import { PRODUCT } from './product.modules.js';

/** What the api process is made of. */
@Module({})
export class ApiModule {
  static forRoot(
    settings: Settings,
    logger: Logger,
    health: HealthRegistry,
    faults?: FaultInjector,
    features: Type[] = PRODUCT,
  ): DynamicModule {
    return {
      module: ApiModule,
      imports: [
        SettingsModule.forRoot(settings),
        LoggingModule.forRoot(logger),
        HealthModule.forRoot(health, [DatabaseHealth, RedisHealth]),
        ResilienceModule.forRoot(faults),
        RedisModule,
        DatabaseModule.forRoot('api'),
        CpuModule,
        CacheModule,
        IdempotencyModule,
        MessagingModule.forRoot({ role: 'api' }),
        HttpModule,
        ...features,
        // After the product: guards run in the order in which modules bring them, and a limit counts by caller.
        RateLimitModule,
      ],
    };
  }
}

import { Module, type DynamicModule, type Type } from '@nestjs/common';
import type { Logger } from 'pino';
import { SettingsModule, type Settings } from './config/index.js';
import { CacheModule } from './platform/cache/index.js';
import { CpuModule } from './platform/cpu/index.js';
import { DatabaseHealth, DatabaseModule } from './platform/database/index.js';
import { HealthModule, type HealthRegistry } from './platform/health/index.js';
import { IdempotencyModule } from './platform/idempotency/index.js';
import { MessagingModule } from './platform/messaging/index.js';
import { LoggingModule } from './platform/observability/index.js';
import { RedisHealth, RedisModule } from './platform/redis/index.js';
import { ResilienceModule, type FaultInjector } from './platform/resilience/index.js';
import { PRODUCT } from './product.modules.js';

/** What the worker process is made of: the same product, with messaging that relays and handles, and without HTTP. */
@Module({})
export class WorkerModule {
  static forRoot(
    settings: Settings,
    logger: Logger,
    health: HealthRegistry,
    faults?: FaultInjector,
    features: Type[] = PRODUCT,
  ): DynamicModule {
    return {
      module: WorkerModule,
      imports: [
        SettingsModule.forRoot(settings),
        LoggingModule.forRoot(logger),
        HealthModule.forRoot(health, [DatabaseHealth, RedisHealth]),
        ResilienceModule.forRoot(faults),
        RedisModule,
        DatabaseModule.forRoot('worker'),
        CpuModule,
        CacheModule,
        IdempotencyModule,
        MessagingModule.forRoot({ role: 'worker' }),
        ...features,
      ],
    };
  }
}

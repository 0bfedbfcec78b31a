import { Global, Module, type DynamicModule, type Type } from '@nestjs/common';
import { HealthRegistry, type HealthCheck } from './health.registry.js';

/** What readiness reports. Parts that start later add themselves: inject `HealthRegistry` and call `add`. */
@Global()
@Module({})
export class HealthModule {
  /** @param dependencies providers that global modules export; a dependency itself does not depend on health */
  static forRoot(health: HealthRegistry, dependencies: Type<HealthCheck>[] = []): DynamicModule {
    const registry = {
      provide: HealthRegistry,
      inject: dependencies,
      useFactory: (...checks: HealthCheck[]): HealthRegistry => {
        health.checks.push(...checks);
        return health;
      },
    };
    return { module: HealthModule, providers: [registry], exports: [HealthRegistry] };
  }
}

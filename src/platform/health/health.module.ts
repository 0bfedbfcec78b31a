import { Global, Module, type DynamicModule } from '@nestjs/common';
import { HealthRegistry } from './health.registry.js';

/** Lets the rooms add their dependency to what readiness reports: inject `HealthRegistry` and `add`. */
@Global()
@Module({})
export class HealthModule {
  static forRoot(health: HealthRegistry): DynamicModule {
    return {
      module: HealthModule,
      providers: [{ provide: HealthRegistry, useValue: health }],
      exports: [HealthRegistry],
    };
  }
}

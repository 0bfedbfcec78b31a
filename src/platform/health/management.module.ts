import { Module, type DynamicModule } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { FaultInjector } from '../resilience/index.js';
import { FAULTS_TOKEN, FaultsController, FaultsGuard } from './faults.controller.js';
import { HealthController } from './health.controller.js';
import { HealthRegistry } from './health.registry.js';
import { healthMetrics, HealthWatch } from './health.watch.js';

/**
 * The application behind the management port: probes and `/metrics`. It is a separate application in the same process, so that no
 * guard, limit or shedding of the public one affects it, and so that it answers before the public one has started and after it
 * has stopped accepting (docs/decisions/0002).
 */
@Module({})
export class ManagementModule {
  /** @param rehearsal the faults that may be switched on, and the token that allows it; absent in production */
  static forRoot(
    health: HealthRegistry,
    rehearsal?: { faults: FaultInjector; token: string },
  ): DynamicModule {
    return {
      module: ManagementModule,
      imports: [
        TerminusModule.forRoot({ logger: false, errorLogStyle: 'json' }),
        PrometheusModule.register({ path: '/metrics', defaultMetrics: { enabled: true } }),
      ],
      controllers: [HealthController, ...(rehearsal ? [FaultsController] : [])],
      providers: [
        { provide: HealthRegistry, useValue: health },
        HealthWatch,
        ...healthMetrics,
        ...(rehearsal
          ? [
              FaultsGuard,
              { provide: FaultInjector, useValue: rehearsal.faults },
              { provide: FAULTS_TOKEN, useValue: rehearsal.token },
            ]
          : []),
      ],
    };
  }
}

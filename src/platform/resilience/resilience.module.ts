import { Global, Module, type DynamicModule } from '@nestjs/common';
import { makeGaugeProvider } from '@willsoto/nestjs-prometheus';
import { FaultInjector } from './fault-injector.js';
import { CIRCUIT_STATE, Policies } from './policies.js';

/** Timeouts, circuit breakers and bulkheads of everything this process depends on. */
@Global()
@Module({})
export class ResilienceModule {
  /** @param faults only where faults can be switched on, never in production */
  static forRoot(faults?: FaultInjector): DynamicModule {
    return {
      module: ResilienceModule,
      providers: [
        makeGaugeProvider({
          name: CIRCUIT_STATE,
          help: 'Circuit breaker of a dependency: 0 closed, 1 open, 2 half-open.',
          labelNames: ['dependency'],
        }),
        ...(faults ? [{ provide: FaultInjector, useValue: faults }] : []),
        Policies,
      ],
      exports: [Policies, ...(faults ? [FaultInjector] : [])],
    };
  }
}

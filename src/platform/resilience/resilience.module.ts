import { Global, Module } from '@nestjs/common';
import { makeGaugeProvider } from '@willsoto/nestjs-prometheus';
import { CIRCUIT_STATE, Policies } from './policies.registry.js';

/** Timeouts, retries, circuit breakers and bulkheads of everything this process depends on. */
@Global()
@Module({
  providers: [
    makeGaugeProvider({
      name: CIRCUIT_STATE,
      help: 'Circuit breaker of a dependency: 0 closed, 1 open, 2 half-open.',
      labelNames: ['dependency'],
    }),
    Policies,
  ],
  exports: [Policies],
})
export class ResilienceModule {}

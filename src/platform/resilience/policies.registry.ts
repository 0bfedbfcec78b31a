import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import { InjectMetric } from '@willsoto/nestjs-prometheus';
import { Gauge } from 'prom-client';
import { Settings } from '../../config/index.js';
import { Dependency } from './dependency.js';
import { FaultInjector } from './fault-injector.js';
import { policyTable, type DependencyName } from './policies.js';

export const CIRCUIT_STATE = 'dependency_circuit_state';
const STATE_VALUES = { closed: 0, open: 1, 'half-open': 2 } as const;

/** The dependencies of this process, each with its policy. */
@Injectable()
export class Policies {
  private readonly logger = new Logger(Policies.name);
  private readonly dependencies: Map<DependencyName, Dependency>;

  constructor(
    @Inject(Settings) settings: Settings,
    @InjectMetric(CIRCUIT_STATE) gauge: Gauge,
    @Optional() faults?: FaultInjector,
  ) {
    this.dependencies = new Map(
      Object.entries(policyTable(settings)).map(([key, policy]) => {
        const name = key as DependencyName;
        const dependency = new Dependency(name, policy, faults);
        gauge.set({ dependency: name }, STATE_VALUES.closed);
        dependency.onCircuitChange((state) => {
          gauge.set({ dependency: name }, STATE_VALUES[state]);
          this.logger.warn({ dependency: name, circuit: state }, 'A circuit breaker changed its state');
        });
        return [name, dependency];
      }),
    );
  }

  /** The dependency of that name. */
  for(name: DependencyName): Dependency {
    const dependency = this.dependencies.get(name);
    if (!dependency) throw new Error(`No policy for the dependency ${name}; add a row to policyTable()`);
    return dependency;
  }

  /** All dependencies, for health and diagnosis. */
  all(): Dependency[] {
    return [...this.dependencies.values()];
  }
}

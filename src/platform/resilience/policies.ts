import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import { InjectMetric } from '@willsoto/nestjs-prometheus';
import { Gauge } from 'prom-client';
import { Settings } from '../../config/index.js';
import { Dependency } from './dependency.js';
import { FaultInjector } from './fault-injector.js';
import type { DependencyPolicy } from './dependency-policy.js';

export const CIRCUIT_STATE = 'dependency_circuit_state';
const STATE_VALUES = { closed: 0, open: 1, 'half-open': 2 } as const;

/**
 * The dependencies of this process, each with its policy, defined once by the provider that calls it. Redis is not here: the
 * request path can always go on without it, so it has its own kind of connection (platform/redis).
 */
@Injectable()
export class Policies {
  private readonly logger = new Logger(Policies.name);
  private readonly dependencies = new Map<string, Dependency>();

  constructor(
    @Inject(Settings) { database }: Settings,
    @InjectMetric(CIRCUIT_STATE) private readonly gauge: Gauge,
    @Optional() private readonly faults?: FaultInjector,
  ) {
    this.define('postgresql', {
      timeoutMs: database.queryTimeoutMs,
      concurrency: Infinity,
      breaker: { size: 15, minimumCalls: 8 },
      reopenAfterMs: 500,
    });
  }

  /** The dependency of that name, defined by its provider. */
  for(name: string): Dependency {
    const dependency = this.dependencies.get(name);
    if (!dependency) throw new Error(`No policy for the dependency ${name}; call define() where it is used`);
    return dependency;
  }

  /**
   * A new dependency with its circuit breaker, metric and fault target (`dependency:<name>`).
   * @throws Error when that name is taken: two policies for one dependency would be two circuits
   */
  define(name: string, policy: DependencyPolicy): Dependency {
    if (this.dependencies.has(name)) throw new Error(`The dependency ${name} is defined already`);
    const dependency = new Dependency(name, policy, this.faults);
    this.dependencies.set(name, dependency);
    this.faults?.offer(`dependency:${name}`);
    this.gauge.set({ dependency: name }, STATE_VALUES.closed);
    dependency.onCircuitChange((state) => {
      this.gauge.set({ dependency: name }, STATE_VALUES[state]);
      this.logger.warn({ dependency: name, circuit: state }, 'A circuit breaker changed state');
    });
    return dependency;
  }
}

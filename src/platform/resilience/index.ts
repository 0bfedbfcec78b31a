export { Dependency, type CircuitName } from './dependency.js';
export { FaultInjector, type Fault, type Rehearsal } from './fault-injector.js';
export type { DependencyPolicy } from './dependency-policy.js';
export { Policies } from './policies.js';
export { ResilienceModule } from './resilience.module.js';

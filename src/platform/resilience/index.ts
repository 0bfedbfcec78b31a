export { Dependency, type CircuitName } from './dependency.js';
export { FaultInjector, type Fault, type Rehearsal } from './fault-injector.js';
export type { DependencyPolicy } from './policies.js';
export { Policies } from './policies.registry.js';
export { ResilienceModule } from './resilience.module.js';

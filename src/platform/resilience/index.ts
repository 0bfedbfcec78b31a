export { Dependency, type CircuitName } from './dependency.js';
export { FaultInjector, type Fault } from './fault-injector.js';
export { policyTable, type DependencyName, type DependencyPolicy } from './policies.js';
export { Policies } from './policies.registry.js';
export { ResilienceModule } from './resilience.module.js';

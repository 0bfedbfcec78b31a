export { Dependency, type CircuitName } from './dependency.js';
export { policyTable, type DependencyName, type DependencyPolicy } from './policies.js';
export { Policies } from './policies.registry.js';
export { ResilienceModule } from './resilience.module.js';

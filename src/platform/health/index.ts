export { HealthModule } from './health.module.js';
export { HealthRegistry, type HealthCheck, type Heartbeats, type Phase } from './health.registry.js';
export { startManagement } from './management.js';

export { HealthRegistry, type HealthCheck, type Phase } from './health.registry.js';
export { startManagement } from './management.js';

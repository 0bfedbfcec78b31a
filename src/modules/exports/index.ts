export { exportRequested, type ExportRequested } from './exports.events.js';
export { ExportsModule } from './exports.module.js';

export type { Statement } from './connections.js';
export { Database } from './database.js';
export { UniqueViolationError } from './constraint-errors.js';
export { isOutage } from './database.errors.js';
export { DatabaseModule } from './database.module.js';
export { newId } from '../context/index.js';
export { Migrator, type MigrationState } from './migrator.js';
export { streamRows } from './stream-rows.js';
export { UnitOfWork, type UnitOfWorkOptions } from './unit-of-work.js';

/**
 * Settings for tests that are not about time: a machine that is busy with other things must not look like a database that
 * is away. Tests of the timeouts themselves set their own.
 */
export const PATIENT_DATABASE = {
  DATABASE_ACQUIRE_TIMEOUT_MS: '20000',
  DATABASE_QUERY_TIMEOUT_MS: '20000',
  DATABASE_STATEMENT_TIMEOUT_MS: '19000',
  DATABASE_LOCK_TIMEOUT_MS: '18000',
};

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

/**
 * The same for a whole process. A Redis that is busy for longer than its timeout looks like one that is down: each process then
 * counts by itself, and caches lose what they should have dropped. A late event loop makes the process refuse requests.
 */
export const PATIENT_PROCESS = {
  ...PATIENT_DATABASE,
  REDIS_COMMAND_TIMEOUT_MS: '10000',
  HTTP_REQUEST_TIMEOUT_MS: '60000',
  OVERLOAD_EVENT_LOOP_DELAY_MS: '10000',
};

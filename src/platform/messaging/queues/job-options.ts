import type { JobsOptions } from 'bullmq';

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** The allowed values of each supported option, in words for the error message. */
const SUPPORTED: Record<string, [isValid: (value: unknown) => boolean, must: string]> = {
  delay: [isCount, 'must be milliseconds, 0 or more'],
  priority: [
    (value) => isCount(value) && (value as number) < 2 ** 21,
    'must be an integer from 0 to 2097151',
  ],
  attempts: [(value) => isCount(value) && value !== 0, 'must be an integer above 0'],
  backoff: [isBackoff, "must be milliseconds, or { type: 'fixed' | 'exponential', delay, jitter? }"],
  lifo: [(value) => typeof value === 'boolean', 'must be true or false'],
  stackTraceLimit: [isCount, 'must be an integer, 0 or more'],
  keepLogs: [isCount, 'must be an integer, 0 or more'],
  removeOnComplete: [(value) => value === true, 'must be true or left out; finished jobs leave Redis'],
  removeOnFail: [
    (value) => value === true,
    'must be true or left out; failed jobs are dead letters in PostgreSQL',
  ],
};

const REMEDIES: Record<string, string> = {
  jobId: 'leave it out, each job gets its own id; make process() idempotent instead',
  deduplication: 'record what is in progress in a table, in the unit of work that adds the job',
  repeat: 'schedule a method with @Scheduled',
  parent: 'add the next job at the end of process()',
};

/**
 * The problems of a job's options, each with its remedy. They are reported here, because a queue could neither keep these options
 * nor report them later.
 */
export function jobOptionProblems(options: JobsOptions): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const rule = SUPPORTED[name];
    if (!rule) return [`${name} is not supported; ${REMEDIES[name] ?? 'leave it out'}`];
    const [isValid, must] = rule;
    return isValid(value) ? [] : [`${name} ${must}`];
  });
}

function isBackoff(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return isCount(value);
  const { type, delay, jitter = 0, ...rest } = value as Record<string, unknown>;
  return (
    (type === 'fixed' || type === 'exponential') &&
    isCount(delay) &&
    typeof jitter === 'number' &&
    jitter >= 0 &&
    jitter <= 1 &&
    Object.keys(rest).length === 0
  );
}

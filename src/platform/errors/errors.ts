/** One thing wrong with a request: where (an RFC 6901 pointer into the body, or a parameter's name), which rule, in words. */
export interface FieldProblem {
  pointer?: string;
  parameter?: string;
  code: string;
  message: string;
}

interface ProblemOptions {
  /** Stable kebab-case name that clients may switch on. */
  code: string;
  /** What happened to this request, for a person; never holds a secret or another caller's data. */
  detail: string;
  /** Further members of the problem document (RFC 9457 section 3.2). */
  extensions?: Record<string, unknown>;
  cause?: unknown;
}

/**
 * Base of all errors with their own problem document. Any other error is a bug, and is answered 500 without a detail.
 */
export abstract class ProblemError extends Error {
  abstract readonly status: number;
  readonly code: string;
  readonly extensions: Record<string, unknown>;
  /** Response headers that belong to the answer, such as `Retry-After`. */
  readonly headers: Record<string, string> = {};

  constructor({ code, detail, extensions, cause }: ProblemOptions) {
    super(detail, { cause });
    this.name = new.target.name;
    this.code = code;
    this.extensions = extensions ?? {};
  }
}

export type ClientErrorStatus =
  400 | 401 | 403 | 404 | 405 | 406 | 408 | 413 | 414 | 415 | 422 | 428 | 429 | 431;

/** The caller's mistake. Not worth a retry; logged at info. */
export class ClientError extends ProblemError {
  readonly status: ClientErrorStatus;

  constructor(
    options: ProblemOptions & {
      status: ClientErrorStatus;
      errors?: FieldProblem[];
      headers?: Record<string, string>;
    },
  ) {
    super({
      ...options,
      extensions: { ...(options.errors && { errors: options.errors }), ...options.extensions },
    });
    this.status = options.status;
    Object.assign(this.headers, options.headers);
  }
}

/** A permanent business rule forbids it. Not worth a retry, and remembered under its Idempotency-Key; logged at info. */
export class BusinessRuleError extends ProblemError {
  readonly status: 402 | 409 | 412;

  constructor(options: ProblemOptions & { status: 402 | 409 | 412; headers?: Record<string, string> }) {
    super(options);
    this.status = options.status;
    Object.assign(this.headers, options.headers);
  }
}

/**
 * A dependency or this process cannot serve the request for a moment: 503 with `Retry-After`. Worth a retry with backoff; logged
 * at warn.
 */
export class TransientError extends ProblemError {
  readonly status = 503;
  readonly retryAfterSeconds: number;

  constructor(options: ProblemOptions & { retryAfterSeconds?: number }) {
    super(options);
    this.retryAfterSeconds = options.retryAfterSeconds ?? 1;
    this.headers['Retry-After'] = String(this.retryAfterSeconds);
  }
}

/** A `TransientError` for a dependency that was certainly never called: nothing can have happened there. */
export class NotAttemptedError extends TransientError {}

/** It is not known whether it happened. Retry it with the same Idempotency-Key only; logged at warn. */
export class UnknownOutcomeError extends ProblemError {
  readonly status = 504;
}

/**
 * The database rejected a value: a constraint of the schema, or the type of a column. A service that knows what the constraint
 * means catches it and throws its own error (docs/extending.md). Uncaught it is answered 409 or 422 instead of 500, and logged at
 * warn, because the value has passed validation. Not a `ClientError`: that one promises that nothing has happened.
 */
export class ConstraintViolationError extends ProblemError {
  readonly status: 409 | 422;
  /** The name of the constraint; empty where a type has rejected the value. */
  readonly constraint: string;

  constructor({
    status,
    constraint = '',
    ...options
  }: ProblemOptions & { status: 409 | 422; constraint?: string }) {
    super(options);
    this.status = status;
    this.constraint = constraint;
  }
}

import { ConstraintViolationError } from '../errors/index.js';

/** Another row has these values already (a unique or exclusion constraint, or a primary key). */
export class UniqueViolationError extends ConstraintViolationError {
  constructor(constraint: string, cause: unknown) {
    super({
      status: 409,
      /** Something with the same unique value exists. Change the value. */
      code: 'already-exists',
      detail: 'Something with the same unique value already exists.',
      constraint,
      cause,
    });
  }
}

/**
 * SQLSTATEs (PostgreSQL documentation, appendix A) of a value that no row may have; the others of class 22 are bugs in a
 * statement.
 */
const REFUSED_VALUES = new Set([
  '22001', // string_data_right_truncation: longer than its column
  '22003', // numeric_value_out_of_range
  '22007', // invalid_datetime_format
  '22008', // datetime_field_overflow
  '22021', // character_not_in_repertoire: NUL
  '22P02', // invalid_text_representation: not a uuid, an integer, a member of an enum
  '22P05', // untranslatable_character: \u0000 in jsonb
  '23502', // not_null_violation
  '23514', // check_violation
]);

interface DriverError extends Error {
  code?: string;
  constraint?: string;
}

/** The error for a value that PostgreSQL rejected, or undefined for any other error. */
export function asConstraintViolation(error: DriverError): ConstraintViolationError | undefined {
  const { code = '', constraint } = error;
  switch (code) {
    case '23505': // unique_violation
    case '23P01': // exclusion_violation
      return new UniqueViolationError(constraint ?? '', error);
    case '23001': // restrict_violation: ON DELETE RESTRICT, since PostgreSQL 18
      return stillReferenced(error);
    case '23503': // foreign_key_violation
      return namesReferencingTable(error) ? stillReferenced(error) : unknownReference(error);
  }
  if (!REFUSED_VALUES.has(code)) return undefined;
  return new ConstraintViolationError({
    status: 422,
    /** A value is too long, out of range, missing, or not allowed. Correct the request. */
    code: 'value-not-allowed',
    detail: 'A value is too long, out of range, missing, or not allowed.',
    constraint,
    cause: error,
  });
}

function stillReferenced(error: DriverError): ConstraintViolationError {
  return new ConstraintViolationError({
    status: 409,
    /** Something else refers to this. Remove that first. */
    code: 'still-referenced',
    detail: 'Something else still refers to this.',
    constraint: error.constraint,
    cause: error,
  });
}

function unknownReference(error: DriverError): ConstraintViolationError {
  return new ConstraintViolationError({
    status: 422,
    /** The request refers to something that does not exist. Correct the reference. */
    code: 'unknown-reference',
    detail: 'This refers to something that does not exist.',
    constraint: error.constraint,
    cause: error,
  });
}

/**
 * Whether the statement changed the row that is referred to, not the one that refers: both have the same SQLSTATE and the same
 * fields. The message is translated (`lc_messages`), but in every language it quotes three names then (`"articles"`, its
 * constraint, `"comments"`), and otherwise two (`ri_ReportViolation` in PostgreSQL's ri_triggers.c).
 */
function namesReferencingTable({ message }: Error): boolean {
  return (message.match(/["«»„“”]/g) ?? []).length > 4;
}

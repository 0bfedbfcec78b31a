/** How deep causes are followed. */
const DEPTH = 5;
/** How many errors of an `AggregateError` are shown. */
const TOGETHER = 5;

/**
 * The members of an error that a log line may contain. A list of allowed members, not of forbidden ones: libraries attach to
 * their errors what they were about to send (ioredis the arguments of AUTH, PostgreSQL the values of a row, a URL parser the
 * whole URL), and the next release of any of them may attach more.
 */
const ALLOWED = [
  'code',
  'status',
  'statusCode',
  'responseCode',
  'errno',
  'syscall',
  'address',
  'port',
  'severity',
  'schema',
  'table',
  'column',
  'constraint',
  'routine',
];

/** An error as it is logged: its type, message, stack and causes, and the members in `ALLOWED`. */
export interface ErrorFields {
  type: string;
  message: string;
  stack?: string;
  cause?: ErrorFields;
  errors?: ErrorFields[];
  [field: string]: unknown;
}

/** @param error any thrown value @returns undefined for a value that is neither an object nor text */
export function errorFields(error: unknown, depth = DEPTH): ErrorFields | undefined {
  if (typeof error === 'string') return { type: 'string', message: error };
  if (typeof error !== 'object' || error === null) return undefined;
  const { name, message, stack, cause, errors, ...members } = ownAndInherited(error);
  const fields: ErrorFields = {
    type: error.constructor?.name ?? text(name) ?? 'Error',
    message: text(message) ?? '',
    stack: text(stack),
  };
  for (const member of ALLOWED) {
    const value = members[member];
    if (typeof value === 'string' || typeof value === 'number') fields[member] = value;
  }
  if (depth === 0) return fields;
  if (cause !== undefined) fields.cause = errorFields(cause, depth - 1);
  if (Array.isArray(errors)) {
    fields.errors = errors
      .slice(0, TOGETHER)
      .map((one) => errorFields(one, depth - 1))
      .filter((one) => one !== undefined);
  }
  return fields;
}

/** The requested members; getters of classes (`status`) are not the object's own. */
function ownAndInherited(error: object): Record<string, unknown> {
  const source = error as Record<string, unknown>;
  const names = ['name', 'message', 'stack', 'cause', 'errors', ...ALLOWED];
  return Object.fromEntries(names.map((name) => [name, source[name]]));
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** No connection was made: nothing was sent. */
const NOT_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);
/** A connection was not made, or broke: these may occur at any time. */
const LOST = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_SOCKET']);

/** The code that an error carries, or the first of an AggregateError, which holds one error for each address of a host. */
export function errorCode(error: unknown): string | undefined {
  const { code, errors } = (error ?? {}) as { code?: unknown; errors?: unknown[] };
  if (typeof code === 'string') return code;
  return Array.isArray(errors) ? errorCode(errors[0]) : undefined;
}

/** Whether a connection was not made, or broke; the other side may have been reached. */
export function isNetworkError(error: unknown): boolean {
  const code = errorCode(error) ?? '';
  return NOT_CONNECTED.has(code) || LOST.has(code);
}

/** Whether it is certain that nothing was sent. */
export function isConnectError(error: unknown): boolean {
  return NOT_CONNECTED.has(errorCode(error) ?? '');
}

/** One line that says what to do, for the failures that people meet on their first day. */
export function remedyFor(error: unknown): string {
  const { code, message, cause } = error as { code?: string; message?: string; cause?: unknown };
  // A ConnectError has the code of its cause, and the cause has the port.
  const { port } = (cause ?? error) as { port?: number };
  if (code === 'EADDRINUSE') return `port ${port} is in use; set PORT or MANAGEMENT_PORT to a free one`;
  if (code === 'ECONNREFUSED')
    return `nothing answers on port ${port}; check that PostgreSQL and Redis are up, and DATABASE_URL and REDIS_URL correct`;
  if (code === '28P01' || code === '3D000') return `PostgreSQL refuses DATABASE_URL: ${message}`;
  return message ?? String(error);
}

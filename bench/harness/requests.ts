/** A request of a workload: the same for every side except for the address. */
export interface PlannedRequest {
  method: 'GET' | 'POST';
  path: string;
  token?: string;
  body?: unknown;
  /** Carries an Idempotency-Key, another one each time it is sent. */
  keyed?: boolean;
}

/** A placeholder, which each sending replaces by its own key (see wrk.lua). */
const KEY = '\u0001';

/** The bytes of the request. */
export function toWire(request: PlannedRequest, url: string): string {
  const body = request.body === undefined ? '' : JSON.stringify(request.body);
  const headers = Object.entries({ host: new URL(url).host, ...headersOf(request, KEY) });
  if (body !== '') headers.push(['content-length', String(Buffer.byteLength(body))]);
  const lines = [
    `${request.method} ${request.path} HTTP/1.1`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

export function headersOf(request: PlannedRequest, key: string): Record<string, string> {
  return {
    ...(request.token ? { authorization: `Bearer ${request.token}` } : {}),
    ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(request.keyed ? { 'idempotency-key': key } : {}),
  };
}

import { randomBytes } from 'node:crypto';

/** A request that a load generator sends many times. */
export interface RequestTemplate {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  path: string;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  body?: unknown;
  /** Sends an `Idempotency-Key`: this one, or with `true` a fresh one each time. */
  idempotencyKey?: string | true;
}

/** A request ready to be sent: the bytes before its fresh Idempotency-Key, and those after it. */
export interface PreparedRequest {
  /** For messages. */
  label: string;
  key: string | true | undefined;
  before: string;
  after: string;
}

/** Serialises a request once that is sent thousands of times. To be written as Latin-1: one character is one byte. */
export function prepare(template: RequestTemplate, host: string): PreparedRequest {
  const { method, path, headers = {}, body, idempotencyKey: key } = template;
  const content = body === undefined ? '' : Buffer.from(JSON.stringify(body)).toString('latin1');
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `Host: ${host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined ? [] : ['Content-Type: application/json', `Content-Length: ${content.length}`]),
  ];
  const label = `${method} ${path}`;
  if (key === true) {
    return { label, key, before: `${lines.join('\r\n')}\r\nIdempotency-Key: `, after: `\r\n\r\n${content}` };
  }
  if (key !== undefined) lines.push(`Idempotency-Key: ${key}`);
  return { label, key, before: `${lines.join('\r\n')}\r\n\r\n${content}`, after: '' };
}

/** Keys that no other load of this or another run uses. */
export function keySequence(): () => string {
  const prefix = randomBytes(9).toString('base64url');
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}-${String(count).padStart(9, '0')}`;
  };
}

/** The header of a caller. */
export function bearing(token: string): { Authorization: string } {
  return { Authorization: `Bearer ${token}` };
}

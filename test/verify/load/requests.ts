import { randomBytes } from 'node:crypto';
import type { RequestTemplate } from './plan.ts';

/** A request ready to be sent: the bytes before its fresh Idempotency-Key, and those after it. */
export interface PreparedRequest {
  /** For messages. */
  label: string;
  key: string | true | undefined;
  before: string;
  after: string;
}

/** Serialises a request once that is sent thousands of times. Texts are Latin-1: one character, one byte. */
export function prepare(template: RequestTemplate, host: string): PreparedRequest {
  const { method, path, headers = {}, body, idempotencyKey: key } = template;
  const content = body === undefined ? '' : JSON.stringify(body);
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `Host: ${host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined
      ? []
      : ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(content, 'latin1')}`]),
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

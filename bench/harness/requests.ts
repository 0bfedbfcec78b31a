import { randomUUID } from 'node:crypto';
import { prepare, type RequestTemplate } from '../../local/requests.ts';

/** A placeholder, which each sending replaces by its own key (see wrk.lua). */
const KEY = '\u0001';

/** The bytes of the request, in Latin-1. */
export function toWire(request: RequestTemplate, url: string): string {
  const { key, before, after } = prepare(request, new URL(url).host);
  return `${before}${key === true ? KEY : ''}${after}`;
}

/** The headers of one sending. */
export function headersOf({ headers, idempotencyKey }: RequestTemplate): Record<string, string> {
  if (idempotencyKey === undefined) return { ...headers };
  return { ...headers, 'Idempotency-Key': idempotencyKey === true ? randomUUID() : idempotencyKey };
}

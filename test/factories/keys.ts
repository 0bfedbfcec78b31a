import { randomUUID } from 'node:crypto';

/** A fresh Idempotency-Key, or a given one, as options of a request. */
export function withKey(key: string = randomUUID()): { headers: Record<string, string> } {
  return { headers: { 'idempotency-key': key } };
}

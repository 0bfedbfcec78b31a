import crypto from 'node:crypto';

/** A new UUIDv7 (RFC 9562 section 5.7): in order of time, so that new rows land at the end of the primary key's index. */
export function newId(): string {
  return crypto.randomUUIDv7();
}

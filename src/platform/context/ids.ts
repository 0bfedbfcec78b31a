import crypto from 'node:crypto';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A new UUIDv7 (RFC 9562 section 5.7): in order of time, so that new rows land at the end of the primary key's index. */
export function newId(): string {
  return crypto.randomUUIDv7();
}

/** Whether PostgreSQL takes a text for a UUID, as our ids are. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

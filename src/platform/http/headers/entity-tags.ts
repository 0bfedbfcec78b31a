import type { FastifyRequest } from 'fastify';

/** RFC 9110 section 8.8.3. */
const ENTITY_TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;

/**
 * Whether `If-None-Match` names the representation that would be sent: the answer is 304 then. Compared weakly, as the field
 * requires (RFC 9110 section 13.1.2).
 */
export function isNotModified(request: FastifyRequest, etag: string): boolean {
  const header = request.headers['if-none-match'];
  if (header === undefined) return false;
  if (header === etag || header.trim() === '*') return true;
  return (header.match(ENTITY_TAG) ?? []).some((tag) => opaque(tag) === opaque(etag));
}

/** The tags of an `If-Match` that can match: it compares strongly, so weak ones never do (RFC 9110 section 13.1.1). */
export function strongTags(header: string): string[] | '*' {
  if (header.trim() === '*') return '*';
  return (header.match(ENTITY_TAG) ?? []).filter((tag) => !tag.startsWith('W/'));
}

function opaque(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag;
}

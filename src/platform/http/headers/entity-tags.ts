import type { FastifyRequest } from 'fastify';

/** RFC 9110 section 8.8.3. */
const ENTITY_TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;

/** Before the end of a tag: the same version, compressed. Its bytes are others, so a strong tag has to be another one. */
const GZIPPED = '--gzip"';

/**
 * Whether `If-None-Match` names the representation that would be sent: the answer is 304 then. Compared weakly, as the field
 * requires (RFC 9110 section 13.1.2).
 */
export function isNotModified(request: FastifyRequest, etag: string): boolean {
  const header = request.headers['if-none-match'];
  if (header === undefined) return false;
  if (header === etag || header.trim() === '*') return true;
  return tagsOf(header).some((tag) => opaque(tag) === opaque(etag));
}

/**
 * The tags of an `If-Match` that can match: it compares strongly, so weak ones never do (RFC 9110 section 13.1.1). The tag of a
 * compressed answer stands for the version that it shows.
 */
export function strongTags(header: string): string[] | '*' {
  if (header.trim() === '*') return '*';
  return tagsOf(header)
    .filter((tag) => !tag.startsWith('W/'))
    .map(uncompressed);
}

/** The tags of a header. */
export function tagsOf(header: string): string[] {
  return header.match(ENTITY_TAG) ?? [];
}

/** The tag of the same version, compressed. */
export function gzippedTag(tag: string): string {
  return tag.replace(/"$/, GZIPPED);
}

function opaque(tag: string): string {
  return uncompressed(tag.startsWith('W/') ? tag.slice(2) : tag);
}

function uncompressed(tag: string): string {
  return tag.endsWith(GZIPPED) ? `${tag.slice(0, -GZIPPED.length)}"` : tag;
}

import type { Cached } from './read-through-cache.js';

/**
 * The `Cache-Status` field (RFC 9211) of an answer that is known to be outdated: served from the cache because the source was
 * down. `ttl` is the freshness left in seconds, negative by how long ago it ended (section 2.4).
 */
export function staleStatus({ freshUntil }: Cached<unknown>): string {
  const ttl = Math.min(0, Math.ceil((freshUntil - performance.now()) / 1000));
  return `api; hit; ttl=${ttl === 0 ? 0 : ttl}; detail=source-unavailable`;
}

import { normalizeIp } from '@nestjs/throttler';
import type { FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';

/** Networks of IPv6 addresses seen lately: working one out costs as much as the rest of the guard several times over. */
const networks = new LRUCache<string, string>({
  max: 10_000,
  memoMethod: (address) => normalizeIp(address, 64),
});

/** Whom a request counts against: its user when one is authenticated, otherwise its address. */
export function callerKey(request: FastifyRequest): string {
  const { caller } = request;
  return caller === undefined ? `address:${addressOf(request)}` : `user:${caller.userId}`;
}

/**
 * The client's address, as far as the trusted proxies tell it. An IPv6 client commonly has a whole /64 to itself and could come
 * from another address each time.
 */
function addressOf({ ip }: FastifyRequest): string {
  return ip.includes(':') ? networks.memo(ip) : ip;
}

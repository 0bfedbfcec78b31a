import { normalizeIp } from '@nestjs/throttler';
import type { FastifyRequest } from 'fastify';

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
  return ip.includes(':') ? normalizeIp(ip, 64) : ip;
}

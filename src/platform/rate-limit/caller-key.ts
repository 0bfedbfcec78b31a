import type { FastifyRequest } from 'fastify';
import { clientAddress, networkOf } from '../http/index.js';

/** Whom a request counts against: its user when one is authenticated, otherwise its address. */
export function callerKey(request: FastifyRequest): string {
  const { caller } = request;
  return caller === undefined ? `address:${networkOf(clientAddress(request))}` : `user:${caller.userId}`;
}

/**
 * The network of an authenticated caller, whose accounts are counted together too: they cost nothing to make. Everybody else counts by
 * network already.
 */
export function sharedNetwork(request: FastifyRequest): string | undefined {
  return request.caller && networkOf(clientAddress(request));
}

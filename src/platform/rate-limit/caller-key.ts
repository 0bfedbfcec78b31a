import type { FastifyRequest } from 'fastify';
import { clientAddress, networkOf } from '../http/index.js';

/** The key that a request counts against: its user when one is authenticated, otherwise its address. */
export function callerKey(request: FastifyRequest): string {
  const { caller } = request;
  return caller === undefined ? `address:${networkOf(clientAddress(request))}` : `user:${caller.userId}`;
}

/**
 * The network of an authenticated caller; its accounts are counted together too, because accounts are free. All other callers
 * count by network already.
 */
export function sharedNetwork(request: FastifyRequest): string | undefined {
  return request.caller && networkOf(clientAddress(request));
}

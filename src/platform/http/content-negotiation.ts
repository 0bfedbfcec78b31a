import type { FastifyRequest } from 'fastify';
import { ClientError } from '../errors/index.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Media types a route's success may have; without it any `Accept` will do. */
    produces?: string[];
  }
}

/**
 * Refuses a request whose `Accept` leaves nothing that the route can answer (RFC 9110 section 12.5.1).
 * @returns the error to answer with, or undefined
 */
export function negotiate(request: FastifyRequest): ClientError | undefined {
  const { accept } = request.headers;
  if (accept === undefined || accept === '*/*') return undefined;
  const { produces } = request.routeOptions.config;
  if (!produces || accepts(accept, produces)) return undefined;
  return new ClientError({
    status: 406,
    code: 'not-acceptable',
    detail: `This resource comes as ${produces.join(' or ')}.`,
  });
}

function accepts(header: string, produces: string[]): boolean {
  return header.split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    if (parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))) return false;
    return produces.some(
      (produced) => type === '*/*' || type === produced || type === `${produced.split('/')[0]}/*`,
    );
  });
}

import type { FastifyRequest } from 'fastify';
import { ClientError } from '../../errors/index.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Media types of a route's success; without them any `Accept` is accepted. */
    produces?: string[];
  }
}

/**
 * Rejects a request whose `Accept` allows nothing that the route can answer (RFC 9110 section 12.5.1).
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
    detail: `This resource is available as ${produces.join(' or ')}.`,
  });
}

/** Whether an `Accept` allows one of some media types. Of the ranges that include a type, the most specific one decides. */
export function accepts(header: string, produces: string[]): boolean {
  const qualities = new Map<string, number>();
  for (const range of header.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    if (type === '') continue;
    const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    qualities.set(type, quality === undefined ? 1 : Number(quality));
  }
  if (qualities.size === 0) return true;
  return produces.some((type) => {
    const quality =
      qualities.get(type) ?? qualities.get(`${type.split('/', 1)[0]}/*`) ?? qualities.get('*/*') ?? 0;
    return quality > 0;
  });
}

import type { FastifyReply } from 'fastify';

/** Says that the answer depends on a header of the request, besides those that it is known to depend on. */
export function varyBy(reply: FastifyReply, header: string): void {
  const known = [reply.getHeader('Vary') ?? []].flat().join(', ').split(', ').filter(Boolean);
  void reply.header('Vary', [...new Set([...known, header])].join(', '));
}

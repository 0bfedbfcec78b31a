import type { FastifyReply } from 'fastify';

/** Says that the answer depends on a header of the request, besides those that it is known to depend on. */
export function varyBy(reply: FastifyReply, header: string): void {
  void reply.header('Vary', [reply.getHeader('Vary') ?? [], header].flat().join(', '));
}

import type { ServerResponse } from 'node:http';
import type { FastifyRequest } from 'fastify';

const EXCHANGE = Symbol('exchange');

type PublicResponse = ServerResponse & { [EXCHANGE]?: Exchange };

/** A request of the public port, from its head until its answer is sent or its connection is gone. */
export class Exchange {
  /** Pattern of the route, or why there is none. */
  route = '(unmatched)';
  /** Fastify's object for the request, if it gets that far. */
  request?: FastifyRequest;
  /** By `performance.now()`. */
  readonly openedAt = performance.now();

  constructor(
    readonly method: string,
    readonly response: PublicResponse,
  ) {
    response[EXCHANGE] = this;
  }

  /** Undefined for a request that came through no connection (Fastify's `inject`). */
  static of(response: PublicResponse): Exchange | undefined {
    return response[EXCHANGE];
  }

  /** Call it when the request has reached Fastify. */
  reached(request: FastifyRequest): void {
    this.request = request;
    if (!request.is404) this.route = request.routeOptions.url ?? this.route;
  }
}

import { ApiExtension } from '@nestjs/swagger';
import type { RouteOptions } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /** Its route is deprecated: the access log says so, and names the program that calls it. */
    deprecated: boolean;
  }
}

/** Dates in ISO 8601; without a time, midnight UTC. */
export interface Deprecation {
  /** From when on it is deprecated; may be in the future. */
  since: string;
  /** From when on it may be gone. Without it nobody has to hurry, and `api:check` never lets it go. */
  sunset?: string;
  /** Page that says what to use instead. */
  link?: string;
}

/** Where the OpenAPI document has it. */
const EXTENSION = 'x-deprecation';

/**
 * Deprecates a route, or all routes of a controller: each answer carries `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and
 * `Link`, the document shows it, and the access log names its callers. Only for routes that are in the document.
 */
export function Deprecated(deprecation: Deprecation): MethodDecorator & ClassDecorator {
  // A mistake must show at start, and not to the first client.
  headersOf(deprecation);
  return ApiExtension(EXTENSION, deprecation) as MethodDecorator & ClassDecorator;
}

/** The deprecation of an operation of the document. */
export function deprecationOf(operation: object): Deprecation | undefined {
  return (operation as { [EXTENSION]?: Deprecation })[EXTENSION];
}

/** Marks every answer of a route, errors too. A hook of this route alone: others pay nothing. */
export function announceDeprecation(route: RouteOptions, deprecation: Deprecation): void {
  const headers = headersOf(deprecation);
  const mark: Extract<RouteOptions['onRequest'], (...all: never[]) => void> = (request, reply, done) => {
    request.deprecated = true;
    void reply.headers(headers);
    done();
  };
  route.onRequest = [mark, ...[route.onRequest ?? []].flat()];
}

function headersOf({ since, sunset, link }: Deprecation): Record<string, string> {
  const [from, until] = [Date.parse(since), sunset === undefined ? Infinity : Date.parse(sunset)];
  if (!(until >= from))
    throw new Error(`@Deprecated since ${since}, sunset ${sunset}: not two dates in order`);
  if (link !== undefined && !/^[^\s<>"]+$/.test(link)) throw new Error(`@Deprecated: ${link} is no link`);
  return {
    Deprecation: `@${Math.floor(from / 1000)}`,
    ...(sunset !== undefined && { Sunset: new Date(until).toUTCString() }),
    ...(link !== undefined && { Link: `<${link}>; rel="deprecation"; type="text/html"` }),
  };
}

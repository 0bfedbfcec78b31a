import { createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import { ApiBearerAuth, ApiSecurity } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Caller, RequestContext, Role } from '../../context/index.js';

export type { Caller, Role };

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the authentication guard; absent on public routes. */
    caller?: Caller;
    /** The body as it came, for signatures over it. */
    rawBody?: string;
    context: RequestContext;
    /** The error that was answered, for the access log. */
    failure?: unknown;
  }
}

export const PUBLIC = 'public';
export const OPTIONAL_CALLER = 'optional-caller';
export const REQUIRED_ROLE = 'required-role';

/** Opens a route, or all routes of a controller, to callers without an access token. All other routes need one. */
export const Public = () => SetMetadata(PUBLIC, true);

/** Admits only callers of this role; others get 403. */
export const RequireRole = (role: Role) => SetMetadata(REQUIRED_ROLE, role);

/** The authenticated caller of a route that is not public. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<FastifyRequest>();
  if (!caller) throw new Error('@CurrentCaller() on a public route, which has no authenticated caller');
  return caller;
});

/**
 * The caller of a route that is open to everyone, undefined without an `Authorization` header; it opens the route and documents
 * that. A token that is sent must be valid here too: a client whose token has expired gets 401 and refreshes it, instead of being
 * treated as a stranger.
 */
export const OptionalCaller = createParamDecorator(
  (_: unknown, context: ExecutionContext): Caller | undefined =>
    context.switchToHttp().getRequest<FastifyRequest>().caller,
  [
    (target, property) => {
      if (property === undefined) return;
      const handler = Object.getOwnPropertyDescriptor(target, property) as PropertyDescriptor;
      for (const says of [SetMetadata(OPTIONAL_CALLER, true), ApiBearerAuth(), ApiSecurity({})])
        says(target, property, handler);
    },
  ],
);

/** The access token exactly as the caller has sent it; undefined without authentication. A secret: never log or store it. */
export const AccessToken = createParamDecorator(
  (_: unknown, context: ExecutionContext): string | undefined => {
    const { caller, headers } = context.switchToHttp().getRequest<FastifyRequest>();
    return caller && headers.authorization?.replace(/^\S+\s+/, '').trim();
  },
);

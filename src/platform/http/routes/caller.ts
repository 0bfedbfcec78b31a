import { createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
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
export const REQUIRED_ROLE = 'required-role';

/** Opens a route, or all routes of a controller, to callers without an access token. Everything else needs one. */
export const Public = () => SetMetadata(PUBLIC, true);

/** Lets only callers of this role in; others get 403. */
export const RequireRole = (role: Role) => SetMetadata(REQUIRED_ROLE, role);

/** The authenticated caller of a route that is not public. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<FastifyRequest>();
  if (!caller) throw new Error('@CurrentCaller() on a public route: nobody is authenticated there');
  return caller;
});

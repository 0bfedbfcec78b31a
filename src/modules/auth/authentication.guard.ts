import { Injectable, Optional, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { OPTIONAL_CALLER, PUBLIC, REQUIRED_ROLE, RouteCache, type Role } from '../../platform/http/index.js';
import { RateLimiter } from '../../platform/rate-limit/index.js';
import { AccessTokens } from './access-tokens.js';
import { forbidden, invalidToken, unauthenticated } from './auth.errors.js';
import { RevokedSessions } from './revoked-sessions.js';

type Access = { public: true } | { public: false; optional: boolean; role: Role | undefined };

/**
 * Admits a request when its access token is valid. Routes that are `@Public()` ignore tokens, so an expired one does no harm
 * there. Without a token only where the caller is an `@OptionalCaller()`. Works without waiting for anything: no promise, no
 * query, no Redis; only a rejection may wait until it is counted.
 */
@Injectable()
export class AuthenticationGuard implements CanActivate {
  private readonly access = new RouteCache<Access>((handler, controller) => {
    const places = [handler, controller];
    const optional = this.reflector.get<boolean | undefined>(OPTIONAL_CALLER, handler) ?? false;
    if (!optional && this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC, places))
      return { public: true };
    const role = this.reflector.getAllAndOverride<Role | undefined>(REQUIRED_ROLE, places);
    // A role needs an authenticated caller.
    return { public: false, optional: optional && role === undefined, role };
  });

  /** In lower case. */
  private readonly scheme: string;

  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: AccessTokens,
    private readonly revoked: RevokedSessions,
    // Only in processes that limit requests: the worker has the feature too, but no requests.
    @Optional() private readonly limiter?: RateLimiter,
  ) {
    this.scheme = tokens.scheme.toLowerCase();
  }

  /** @throws ClientError 401 `unauthenticated`, 403 `forbidden`, 429 `quota-exceeded` after too many of those. */
  canActivate(context: ExecutionContext): boolean | Promise<never> {
    const access = this.access.of(context);
    if (access.public) return true;

    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    if (access.optional && request.headers.authorization === undefined) return true;
    try {
      this.authenticate(request, access.role);
    } catch (error) {
      // Requests that are rejected here never reach the guard that counts requests.
      const counted = this.limiter?.countRefused(request, http.getResponse<FastifyReply>());
      if (counted instanceof Promise) return counted.then(() => Promise.reject(error as Error));
      throw error;
    }
    return true;
  }

  private authenticate(request: FastifyRequest, role: Role | undefined): void {
    const { authorization } = request.headers;
    const { scheme } = this.tokens;
    if (authorization === undefined) throw unauthenticated(scheme);
    const token = tokenIn(authorization, this.scheme);
    const caller = token === undefined ? undefined : this.tokens.verify(token);
    if (!caller || this.revoked.has(caller.sessionId)) throw invalidToken(scheme);
    request.caller = caller;
    request.context.userId = caller.userId;
    if (role !== undefined && role !== caller.role) throw forbidden();
  }
}

/** The token of `Authorization: <scheme> <token>` (RFC 9110 section 11.4; the scheme's case does not matter). */
function tokenIn(authorization: string, scheme: string): string | undefined {
  const { length } = scheme;
  if (authorization.slice(0, length).toLowerCase() !== scheme || authorization[length] !== ' ')
    return undefined;
  return authorization.slice(length + 1).trim();
}

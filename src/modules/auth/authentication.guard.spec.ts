import type { ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { describe, expect, it, vi } from 'vitest';
import { loadSettings } from '../../config/index.js';
import { PRODUCT } from '../../product.js';
import { OptionalCaller, Public, RequireRole, type Caller } from '../../platform/http/index.js';
import { AccessTokens } from './access-tokens.js';
import { AuthenticationGuard } from './authentication.guard.js';
import type { RevokedSessions } from './revoked-sessions.js';

class Shop {
  @Public()
  open(): void {}

  closed(): void {}

  @RequireRole('admin')
  office(): void {}

  greeting(@OptionalCaller() _caller?: Caller): void {}
}

@Public()
class Window extends Shop {
  @RequireRole('admin')
  @Public()
  both(): void {}
}

@RequireRole('admin')
class Vault {
  door(): void {}

  greeting(@OptionalCaller() _caller?: Caller): void {}
}

@Public()
class Hall {
  greeting(@OptionalCaller() _caller?: Caller): void {}
}

const customer: Caller = { userId: 'u-1', role: 'customer', sessionId: 's-1' };
const admin: Caller = { userId: 'u-2', role: 'admin', sessionId: 's-2' };

describe('AuthenticationGuard', () => {
  const tokens = new AccessTokens(loadSettings({}, PRODUCT));
  const revoked = new Set<string>();
  const reflector = new Reflector();
  const guard = new AuthenticationGuard(reflector, tokens, revoked as unknown as RevokedSessions);

  function requestTo(controller: { prototype: object }, method: string, authorization?: string) {
    const request = { headers: { authorization }, context: {} as { userId?: string }, caller: undefined };
    const context = {
      getClass: () => controller,
      getHandler: () => (controller.prototype as Record<string, unknown>)[method],
      switchToHttp: () => ({ getRequest: () => request }),
    } as unknown as ExecutionContext;
    return { request, enter: () => guard.canActivate(context) };
  }

  const bearer = (caller: Caller) => `Bearer ${tokens.sign(caller)}`;

  it('lets a good token in and says who it is, without a promise', () => {
    const { request, enter } = requestTo(Shop, 'closed', bearer(customer));
    expect(enter()).toBe(true);
    expect(request.caller).toEqual(customer);
    expect(request.context.userId).toBe('u-1');
  });

  it.each([Shop, Hall])(
    'lets anybody in where the caller is optional, and says who a good token is: %o',
    (controller) => {
      const anybody = requestTo(controller, 'greeting');
      expect(anybody.enter()).toBe(true);
      expect(anybody.request.caller).toBeUndefined();
      const known = requestTo(controller, 'greeting', bearer(customer));
      expect(known.enter()).toBe(true);
      expect(known.request.caller).toEqual(customer);
      expect(() => requestTo(controller, 'greeting', 'Bearer nonsense').enter()).toThrow('is invalid');
    },
  );

  it('lets nobody without a token in where a role is needed, optional or not', () => {
    expect(() => requestTo(Vault, 'greeting').enter()).toThrow('An access token is required');
    expect(() => requestTo(Vault, 'greeting', bearer(customer)).enter()).toThrow();
    expect(requestTo(Vault, 'greeting', bearer(admin)).enter()).toBe(true);
  });

  it('takes the scheme in any case, as HTTP has it', () => {
    expect(requestTo(Shop, 'closed', `bearer ${tokens.sign(customer)}`).enter()).toBe(true);
  });

  it('asks for a token where there is none', () => {
    expect(() => requestTo(Shop, 'closed').enter()).toThrow(
      expect.objectContaining({
        status: 401,
        code: 'unauthenticated',
        headers: { 'WWW-Authenticate': 'Bearer' },
      }),
    );
  });

  it.each(['Bearer', 'Bearer ', 'Bearer nonsense', 'Basic YTpi', ''])(
    'refuses %j as an invalid token',
    (header) => {
      expect(() => requestTo(Shop, 'closed', header).enter()).toThrow(
        expect.objectContaining({
          status: 401,
          code: 'unauthenticated',
          headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
        }),
      );
    },
  );

  it('refuses the token of a session that is revoked', () => {
    const enter = () => requestTo(Shop, 'closed', bearer(customer)).enter();
    expect(enter()).toBe(true);
    revoked.add('s-1');
    expect(enter).toThrow(expect.objectContaining({ status: 401 }));
    revoked.delete('s-1');
  });

  it('lets everybody through a public route, also with a token that is no good', () => {
    for (const header of [undefined, 'Bearer nonsense', bearer(customer)]) {
      const { request, enter } = requestTo(Shop, 'open', header);
      expect(enter()).toBe(true);
      expect(request.caller).toBeUndefined();
    }
  });

  it('lets only the role in that the route or its controller demands', () => {
    for (const [controller, method] of [
      [Shop, 'office'],
      [Vault, 'door'],
    ] as const) {
      expect(requestTo(controller, method, bearer(admin)).enter()).toBe(true);
      expect(() => requestTo(controller, method, bearer(customer)).enter()).toThrow(
        expect.objectContaining({ status: 403, code: 'forbidden' }),
      );
    }
  });

  it('knows the caller of a refused request, for the log', () => {
    const { request, enter } = requestTo(Shop, 'office', bearer(customer));
    expect(enter).toThrow('Your role does not allow this.');
    expect(request.context.userId).toBe('u-1');
  });

  it('judges a handler by the controller that it is reached through', () => {
    expect(requestTo(Window, 'closed').enter()).toBe(true);
    expect(() => requestTo(Shop, 'closed').enter()).toThrow(expect.objectContaining({ status: 401 }));
  });

  it('reads the metadata of a handler once', () => {
    expect(requestTo(Vault, 'door', bearer(admin)).enter()).toBe(true);
    const look = vi.spyOn(reflector, 'getAllAndOverride');
    expect(requestTo(Vault, 'door', bearer(admin)).enter()).toBe(true);
    expect(look).not.toHaveBeenCalled();
    look.mockRestore();
  });
});

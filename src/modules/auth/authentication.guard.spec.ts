import type { ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { describe, expect, it, vi } from 'vitest';
import { loadSettings } from '../../config/index.js';
import { PRODUCT } from '../../product.js';
import { OptionalCaller, Public, RequireRole, type Caller } from '../../platform/http/index.js';
import { AccessTokens } from './access-tokens.js';
import { AuthenticationGuard } from './authentication.guard.js';
import type { RevokedSessions } from './revoked-sessions.js';

class Library {
  @Public()
  open(): void {}

  closed(): void {}

  @RequireRole('admin')
  office(): void {}

  greeting(@OptionalCaller() _caller?: Caller): void {}
}

@Public()
class Window extends Library {
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

  it('accepts a valid token and sets the caller, synchronously', () => {
    const { request, enter } = requestTo(Library, 'closed', bearer(customer));
    expect(enter()).toBe(true);
    expect(request.caller).toEqual(customer);
    expect(request.context.userId).toBe('u-1');
  });

  it.each([Library, Hall])(
    'accepts requests without a token where the caller is optional, and sets the caller of a valid one: %o',
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

  it('rejects requests without a token where a role is required, optional or not', () => {
    expect(() => requestTo(Vault, 'greeting').enter()).toThrow('An access token is required');
    expect(() => requestTo(Vault, 'greeting', bearer(customer)).enter()).toThrow();
    expect(requestTo(Vault, 'greeting', bearer(admin)).enter()).toBe(true);
  });

  it('accepts the scheme in any case, as HTTP requires', () => {
    expect(requestTo(Library, 'closed', `bearer ${tokens.sign(customer)}`).enter()).toBe(true);
  });

  it('requires a token', () => {
    expect(() => requestTo(Library, 'closed').enter()).toThrow(
      expect.objectContaining({
        status: 401,
        code: 'unauthenticated',
        headers: { 'WWW-Authenticate': 'Bearer' },
      }),
    );
  });

  it.each(['Bearer', 'Bearer ', 'Bearer nonsense', 'Basic YTpi', ''])(
    'rejects %j as an invalid token',
    (header) => {
      expect(() => requestTo(Library, 'closed', header).enter()).toThrow(
        expect.objectContaining({
          status: 401,
          code: 'unauthenticated',
          headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
        }),
      );
    },
  );

  it('rejects the token of a revoked session', () => {
    const enter = () => requestTo(Library, 'closed', bearer(customer)).enter();
    expect(enter()).toBe(true);
    revoked.add('s-1');
    expect(enter).toThrow(expect.objectContaining({ status: 401 }));
    revoked.delete('s-1');
  });

  it('allows all requests on a public route, also with an invalid token', () => {
    for (const header of [undefined, 'Bearer nonsense', bearer(customer)]) {
      const { request, enter } = requestTo(Library, 'open', header);
      expect(enter()).toBe(true);
      expect(request.caller).toBeUndefined();
    }
  });

  it('allows only the role that the route or its controller requires', () => {
    for (const [controller, method] of [
      [Library, 'office'],
      [Vault, 'door'],
    ] as const) {
      expect(requestTo(controller, method, bearer(admin)).enter()).toBe(true);
      expect(() => requestTo(controller, method, bearer(customer)).enter()).toThrow(
        expect.objectContaining({ status: 403, code: 'forbidden' }),
      );
    }
  });

  it('knows the caller of a rejected request, for the log', () => {
    const { request, enter } = requestTo(Library, 'office', bearer(customer));
    expect(enter).toThrow('Your role does not allow this.');
    expect(request.context.userId).toBe('u-1');
  });

  it('uses the metadata of the controller through which a handler is reached', () => {
    expect(requestTo(Window, 'closed').enter()).toBe(true);
    expect(() => requestTo(Library, 'closed').enter()).toThrow(expect.objectContaining({ status: 401 }));
  });

  it('reads the metadata of a handler once', () => {
    expect(requestTo(Vault, 'door', bearer(admin)).enter()).toBe(true);
    const look = vi.spyOn(reflector, 'getAllAndOverride');
    expect(requestTo(Vault, 'door', bearer(admin)).enter()).toBe(true);
    expect(look).not.toHaveBeenCalled();
    look.mockRestore();
  });
});

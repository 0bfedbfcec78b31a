import { Inject, Injectable } from '@nestjs/common';
import { createSigner, createVerifier } from 'fast-jwt';
import { Settings } from '../../config/index.js';
import type { Caller, Role } from '../../platform/http/index.js';

const ISSUER = 'holdfast';
const AUDIENCE = 'holdfast-api';

/** Ours have some 350 characters. What is longer is refused unread, and never fills the cache. */
const MAX_LENGTH = 1024;
/** Verified tokens that are remembered; one is some 600 bytes. */
const CACHED = 5000;

interface Claims {
  sub: string;
  role: Role;
  sid: string;
}

/** Signs and verifies access tokens: JWT (RFC 7519) with HS256, no other algorithm. */
@Injectable()
export class AccessTokens {
  readonly ttlSeconds: number;
  private readonly signClaims: (claims: Claims) => string;
  private readonly verifyClaims: (token: string) => Claims;

  constructor(@Inject(Settings) { auth }: Settings) {
    // A session that ends must not leave a token that goes on.
    this.ttlSeconds = Math.min(auth.accessTokenTtlSeconds, auth.refreshTokenTtlSeconds);
    this.signClaims = createSigner({
      key: auth.tokenSecret,
      algorithm: 'HS256',
      expiresIn: this.ttlSeconds * 1000,
      iss: ISSUER,
      aud: AUDIENCE,
    });
    this.verifyClaims = createVerifier({
      key: auth.tokenSecret,
      algorithms: ['HS256'],
      allowedIss: ISSUER,
      allowedAud: AUDIENCE,
      requiredClaims: ['sub', 'role', 'sid', 'iat', 'exp'],
      // A token is its own key: whoever can read this memory can read the signing key as well, and hashing each token
      // costs as much as verifying it.
      cache: CACHED,
      cacheKeyBuilder: (token: string) => token,
    }) as (token: string) => Claims;
  }

  sign({ userId, role, sessionId }: Caller): string {
    return this.signClaims({ sub: userId, role, sid: sessionId });
  }

  /** Whom a token speaks for, or undefined when it is not ours, not intact, or has expired. */
  verify(token: string): Caller | undefined {
    if (token.length > MAX_LENGTH) return undefined;
    try {
      const { sub, role, sid } = this.verifyClaims(token);
      return { userId: sub, role, sessionId: sid };
    } catch {
      return undefined;
    }
  }
}

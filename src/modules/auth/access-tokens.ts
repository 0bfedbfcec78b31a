import { Inject, Injectable } from '@nestjs/common';
import { createSigner, createVerifier } from 'fast-jwt';
import { LRUCache } from 'lru-cache';
import { Settings } from '../../config/index.js';
import type { Caller, Role } from '../../platform/http/index.js';

/** Ours have about 350 characters. A longer one is rejected unread. */
const MAX_LENGTH = 1024;
/** Valid tokens that are remembered, each for as long as it is valid; one takes about 700 bytes. */
const REMEMBERED = 5000;

interface Claims {
  sub: string;
  role: Role;
  sid: string;
  exp: number;
}

interface Remembered {
  caller: Caller;
  /** Epoch milliseconds. */
  expiresAt: number;
}

/** Signs and verifies access tokens: JWT (RFC 7519) with HS256, no other algorithm. */
@Injectable()
export class AccessTokens {
  /** The scheme before a token in `Authorization`. */
  readonly scheme: string;
  readonly ttlSeconds: number;
  /**
   * The longest remaining life of an accepted token: twice a token's life, so that clocks of instances may differ by one life. A
   * token of an instance whose clock is further ahead is rejected; it would outlive the record of its session's end.
   */
  readonly longestLifeSeconds: number;
  private readonly signClaims: (claims: Omit<Claims, 'exp'>) => string;
  private readonly verifyClaims: (token: string) => Claims;
  /**
   * Keyed by the token itself: an attacker that can read this memory can read the signing key as well. The cache of fast-jwt
   * hashes each token, which costs about as much as verifying it.
   */
  private readonly remembered = new LRUCache<string, Remembered>({ max: REMEMBERED });

  constructor(@Inject(Settings) { app, auth, http }: Settings) {
    this.scheme = http.authScheme;
    const audience = `${app.name}-api`;
    // When a session ends, none of its tokens may stay valid.
    this.ttlSeconds = Math.min(auth.accessTokenTtlSeconds, auth.refreshTokenTtlSeconds);
    this.longestLifeSeconds = 2 * this.ttlSeconds;
    this.signClaims = createSigner({
      key: auth.tokenSecret,
      algorithm: 'HS256',
      expiresIn: this.ttlSeconds * 1000,
      iss: app.name,
      aud: audience,
    });
    this.verifyClaims = createVerifier({
      key: auth.tokenSecret,
      algorithms: ['HS256'],
      allowedIss: app.name,
      allowedAud: audience,
      requiredClaims: ['sub', 'role', 'sid', 'iat', 'exp'],
    }) as (token: string) => Claims;
  }

  sign({ userId, role, sessionId }: Caller): string {
    return this.signClaims({ sub: userId, role, sid: sessionId });
  }

  /**
   * The caller that a token stands for, or undefined when it is not ours, not intact, has expired, or was made by a clock that is
   * far ahead.
   */
  verify(token: string): Caller | undefined {
    // The oldest is evicted first, not the least used: moving each token to the end of the list cost 2 % of a read.
    const known = this.remembered.peek(token);
    if (known) return known.expiresAt > Date.now() ? known.caller : undefined;
    if (token.length > MAX_LENGTH) return undefined;
    try {
      const { sub, role, sid, exp } = this.verifyClaims(token);
      if (exp > Date.now() / 1000 + this.longestLifeSeconds) return undefined;
      const caller = Object.freeze({ userId: sub, role, sessionId: sid });
      this.remembered.set(token, { caller, expiresAt: exp * 1000 });
      return caller;
    } catch {
      return undefined;
    }
  }
}

import { randomUUID } from 'node:crypto';
import { createSigner } from 'fast-jwt';

/** Longer than any run: a workload is not about expired tokens. */
export const TOKEN_LIFE_SECONDS = 6 * 3600;

/** Access tokens as a login would issue them (src/modules/auth/access-tokens.ts), thousands of them and without hashing. */
export class AccessTokens {
  private readonly sign: (claims: object) => string;

  constructor(secret: string) {
    this.sign = createSigner({
      key: secret,
      algorithm: 'HS256',
      expiresIn: TOKEN_LIFE_SECONDS * 1000,
      iss: 'holdfast',
      aud: 'holdfast-api',
    });
  }

  of(userId: string, role: 'customer' | 'admin' = 'customer'): string {
    return this.sign({ sub: userId, role, sid: randomUUID() });
  }
}

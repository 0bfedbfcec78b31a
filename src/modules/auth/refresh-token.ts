import { createHash, randomBytes } from 'node:crypto';

const FAMILY_LENGTH = 16;
const SECRET_LENGTH = 32;
const TOKEN = /^[\w-]{64}$/;

/**
 * A refresh token is 16 random bytes that stay the same for the life of a session and 32 that are new each time, in base64url.
 *
 * The first part finds the session, so that an old token is recognised as one of this family, without keeping every token ever
 * issued. It is as secret as the rest: only a holder of a token of the family can cause the session to be revoked by making one
 * up. Only hashes are stored; SHA-256 suffices for random values.
 */
export interface RefreshToken {
  token: string;
  familyHash: Buffer;
  tokenHash: Buffer;
}

/** The first token of a new session. */
export function newRefreshToken(): RefreshToken {
  return made(randomBytes(FAMILY_LENGTH));
}

/** A token as a client presents it, or undefined when it cannot be one. */
export function parseRefreshToken(token: string): RefreshToken | undefined {
  if (!TOKEN.test(token)) return undefined;
  return describe(Buffer.from(token, 'base64url'));
}

/** The next token of the family of `token`. */
export function nextRefreshToken({ token }: RefreshToken): RefreshToken {
  return made(Buffer.from(token, 'base64url').subarray(0, FAMILY_LENGTH));
}

function made(family: Buffer): RefreshToken {
  return describe(Buffer.concat([family, randomBytes(SECRET_LENGTH)]));
}

function describe(bytes: Buffer): RefreshToken {
  return {
    token: bytes.toString('base64url'),
    familyHash: sha256(bytes.subarray(0, FAMILY_LENGTH)),
    tokenHash: sha256(bytes.subarray(FAMILY_LENGTH)),
  };
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

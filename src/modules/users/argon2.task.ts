import { argon2Sync } from 'node:crypto';

/** One Argon2id computation (RFC 9106); `memory` in KiB. Runs in a thread of the pool, because it blocks. */
export interface Argon2Input {
  password: Uint8Array;
  salt: Uint8Array;
  memory: number;
  passes: number;
  parallelism: number;
  tagLength: number;
}

export function argon2id({
  password,
  salt,
  memory,
  passes,
  parallelism,
  tagLength,
}: Argon2Input): Uint8Array {
  return argon2Sync('argon2id', { message: password, nonce: salt, memory, passes, parallelism, tagLength });
}

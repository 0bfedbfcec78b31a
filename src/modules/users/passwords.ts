import { randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { CpuPool, cpuTask } from '../../platform/cpu/index.js';
import type { argon2id } from './argon2.task.js';
import {
  CURRENT_PARAMETERS,
  decodePasswordHash,
  encodePasswordHash,
  isOutdated,
  SALT_LENGTH,
  TAG_LENGTH,
  type PasswordHash,
} from './password-hash.js';

const ARGON2ID = cpuTask<typeof argon2id>(import.meta.url, './argon2.task', 'argon2id');

export interface PasswordCheck {
  matches: boolean;
  /** The password is correct, and should be rehashed with today's parameters. */
  outdated: boolean;
}

/** Hashes and checks passwords, in the threads of the pool: one takes tens of milliseconds of processor and 19 MiB. */
@Injectable()
export class Passwords {
  /**
   * The hash against which an unknown account is checked, so that it takes the time of a known one. The tag is random: no known
   * password matches it.
   */
  private readonly nobody: PasswordHash = {
    ...CURRENT_PARAMETERS,
    salt: randomBytes(SALT_LENGTH),
    tag: randomBytes(TAG_LENGTH),
  };

  constructor(private readonly cpu: CpuPool) {}

  /**
   * The PHC string for a new password. Logins go first: anyone can request any number of new accounts.
   * @throws TransientError `busy` when too many hashes wait.
   */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_LENGTH);
    const tag = await this.compute(password, { ...CURRENT_PARAMETERS, salt }, TAG_LENGTH, {
      background: true,
    });
    return encodePasswordHash({ ...CURRENT_PARAMETERS, salt, tag });
  }

  /**
   * Checks a password in the same time whether or not the account exists.
   * @param stored the PHC string of the account, undefined when there is no such account
   * @throws TransientError `busy` when too many hashes wait.
   */
  async check(password: string, stored: string | undefined): Promise<PasswordCheck> {
    const hash = stored === undefined ? this.nobody : decodePasswordHash(stored);
    const tag = await this.compute(password, hash, hash.tag.length);
    const matches = timingSafeEqual(tag, hash.tag) && stored !== undefined;
    return { matches, outdated: matches && isOutdated(hash) };
  }

  private compute(
    password: string,
    { memory, passes, parallelism, salt }: Omit<PasswordHash, 'tag'>,
    tagLength: number,
    options?: { background: boolean },
  ): Promise<Uint8Array> {
    // Keyboards differ in how they compose the same character (NIST SP 800-63B, section on password verifiers).
    const bytes = Buffer.from(password.normalize('NFKC'), 'utf8');
    const input = { password: bytes, salt, memory, passes, parallelism, tagLength };
    return this.cpu.run(ARGON2ID, input, options);
  }
}

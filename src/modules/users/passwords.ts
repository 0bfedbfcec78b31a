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
  /** The password is right, and its hash should be made anew with today's parameters. */
  outdated: boolean;
}

/** Hashes and checks passwords, in the threads of the pool: one takes tens of milliseconds of processor and 19 MiB. */
@Injectable()
export class Passwords {
  /**
   * What an unknown account is checked against, so that it costs the time of a known one. The tag is random: nobody
   * knows a password for it.
   */
  private readonly nobody: PasswordHash = {
    ...CURRENT_PARAMETERS,
    salt: randomBytes(SALT_LENGTH),
    tag: randomBytes(TAG_LENGTH),
  };

  constructor(private readonly cpu: CpuPool) {}

  /**
   * The PHC string for a new password. Logins go first: anybody can ask for new accounts in any number.
   * @throws TransientError `busy` when too many hashes are waited for.
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
   * @throws TransientError `busy` when too many hashes are waited for.
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

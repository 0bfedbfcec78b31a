import { Injectable, Logger } from '@nestjs/common';
import type { Role } from '../../platform/context/index.js';
import { newId, UniqueViolationError } from '../../platform/database/index.js';
import { BusinessRuleError, ClientError } from '../../platform/errors/index.js';
import { decodeCursor, pageOf, type Page, type PageQuery } from '../../platform/http/index.js';
import type { UpdateMeDto } from './dto/update-me.dto.js';
import type { UserDto } from './dto/user.dto.js';
import { Passwords } from './passwords.js';
import { UsersRepository, type UserRow } from './users.repository.js';

export interface Registration {
  email: string;
  password: string;
  name: string;
}

/** An account whose password was correct. */
export interface VerifiedUser {
  id: string;
  role: Role;
}

@Injectable()
export class UsersService {
  private readonly logger = new Logger(UsersService.name);

  constructor(
    private readonly users: UsersRepository,
    private readonly passwords: Passwords,
  ) {}

  /**
   * Creates a customer's account.
   * @throws BusinessRuleError 409 `email-taken`; TransientError `busy` when too many passwords are being hashed.
   */
  async register({ email: given, password, name }: Registration): Promise<UserDto> {
    const email = normaliseEmail(given);
    // Saves the hash in the common case; the constraint decides between two at once.
    if (await this.users.hasEmail(email)) throw emailTaken();
    const passwordHash = await this.passwords.hash(password);
    try {
      return present(await this.users.insert({ id: newId(), email, name, passwordHash }));
    } catch (error) {
      if (error instanceof UniqueViolationError && error.constraint === 'users_email_key') throw emailTaken();
      throw error;
    }
  }

  /**
   * The account of an address and a password, or undefined: in the same time whether the address is unknown or the
   * password wrong.
   */
  async verifyCredentials(email: string, password: string): Promise<VerifiedUser | undefined> {
    const account = await this.users.findCredentials(normaliseEmail(email));
    const { matches, outdated } = await this.passwords.check(password, account?.passwordHash);
    if (!account || !matches) return undefined;
    if (outdated) await this.rehash(account.id, account.passwordHash, password);
    return { id: account.id, role: account.role };
  }

  /** @throws ClientError 404 `user-not-found`. */
  async get(id: string): Promise<UserDto> {
    return present(found(await this.users.findById(id)));
  }

  /** The recipient of a mail. @throws ClientError 404 `user-not-found`. */
  async contactOf(userId: string): Promise<{ email: string; name: string }> {
    const { email, name } = await this.get(userId);
    return { email, name };
  }

  /** @throws ClientError 404 `user-not-found`. */
  async update(id: string, { name }: UpdateMeDto): Promise<UserDto> {
    return name === undefined ? this.get(id) : present(found(await this.users.rename(id, name)));
  }

  async list({ limit, cursor }: PageQuery): Promise<Page<UserDto>> {
    const [before] = decodeCursor<[string]>(cursor, ['uuid']) ?? [];
    return pageOf(await this.users.page(limit, before), limit, ({ id }) => [id], present);
  }

  isRegistered(email: string): Promise<boolean> {
    return this.users.hasEmail(normaliseEmail(email));
  }

  /**
   * Makes an account an admin; its access tokens have the role from the next login or refresh on.
   * @returns the account, or undefined when no account has this address.
   */
  async promote(email: string): Promise<UserDto | undefined> {
    const row = await this.users.setRole(normaliseEmail(email), 'admin');
    return row && present(row);
  }

  private async rehash(id: string, from: string, password: string): Promise<void> {
    try {
      await this.users.replaceHash(id, from, await this.passwords.hash(password));
    } catch (error) {
      // The password was correct, which is all the caller needs; the next login tries again.
      this.logger.warn({ err: error }, 'A password hash could not be brought up to date');
    }
  }
}

/**
 * Addresses that differ in case only are one account, as mail servers treat them in practice; so are those whose characters are
 * composed differently, as by different keyboards (RFC 6532 section 3.1 requires NFC).
 */
export function normaliseEmail(email: string): string {
  return email.toLowerCase().normalize('NFC');
}

function present({ id, email, name, role, createdAt }: UserRow): UserDto {
  return { id, email, name, role, createdAt: createdAt.toISOString() };
}

function found(row: UserRow | undefined): UserRow {
  if (row) return row;
  throw new ClientError({ status: 404, code: 'user-not-found', detail: 'There is no such user.' });
}

function emailTaken(): BusinessRuleError {
  return new BusinessRuleError({
    status: 409,
    code: 'email-taken',
    detail: 'There is an account with this e-mail address.',
  });
}

import { Injectable, Logger } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { DataSource, LessThan, Repository } from 'typeorm';
import type { Role } from '../../platform/context/index.js';
import { newId, UniqueViolationError } from '../../platform/database/index.js';
import { BusinessRuleError, ClientError } from '../../platform/errors/index.js';
import { decodeCursor, pageOf, type Page, type PageQuery } from '../../platform/http/index.js';
import type { UpdateMeDto } from './dto/update-me.dto.js';
import type { UserDto } from './dto/user.dto.js';
import { Passwords } from './passwords.js';
import { User } from './user.entity.js';

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
    @InjectRepository(User) private readonly users: Repository<User>,
    private readonly dataSource: DataSource,
    private readonly passwords: Passwords,
  ) {}

  /**
   * Creates a customer's account.
   * @throws BusinessRuleError 409 `email-taken`; TransientError `busy` when too many passwords are being hashed.
   */
  async register({ email: given, password, name }: Registration): Promise<UserDto> {
    const email = normaliseEmail(given);
    // Saves the hash in the common case; the constraint decides between two at once.
    if (await this.users.existsBy({ email })) throw emailTaken();
    const passwordHash = await this.passwords.hash(password);
    const user = this.users.create({ id: newId(), email, name, passwordHash });
    try {
      await this.users.insert(user);
      return present(user);
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
    const account = await this.users.findOneBy({ email: normaliseEmail(email) });
    const { matches, outdated } = await this.passwords.check(password, account?.passwordHash);
    if (!account || !matches) return undefined;
    if (outdated) await this.rehash(account, password);
    return { id: account.id, role: account.role };
  }

  /** @throws ClientError 404 `user-not-found`. */
  async get(id: string): Promise<UserDto> {
    const user = await this.users.findOneBy({ id });
    if (user) return present(user);
    throw new ClientError({
      status: 404,
      /** There is no user with this id, or the account was deleted. */
      code: 'user-not-found',
      detail: 'There is no such user.',
    });
  }

  /** The recipient of a mail. @throws ClientError 404 `user-not-found`. */
  async contactOf(userId: string): Promise<{ email: string; name: string }> {
    const { email, name } = await this.get(userId);
    return { email, name };
  }

  /** @throws ClientError 404 `user-not-found`. */
  async update(id: string, { name }: UpdateMeDto): Promise<UserDto> {
    if (name !== undefined) await this.users.update({ id }, { name });
    return this.get(id);
  }

  async list({ limit, cursor }: PageQuery): Promise<Page<UserDto>> {
    const [before] = decodeCursor<[string]>(cursor, ['uuid']) ?? [];
    const { manager } = this.dataSource.createQueryRunner('slave');
    const users = await manager.withRepository(this.users).find({
      where: before === undefined ? {} : { id: LessThan(before) },
      order: { id: 'DESC' },
      take: limit + 1,
    });
    return pageOf(users, limit, ({ id }) => [id], present);
  }

  isRegistered(email: string): Promise<boolean> {
    return this.users.existsBy({ email: normaliseEmail(email) });
  }

  /**
   * Makes an account an admin; its access tokens have the role from the next login or refresh on.
   * @returns the account, or undefined when no account has this address.
   */
  async promote(given: string): Promise<UserDto | undefined> {
    const email = normaliseEmail(given);
    await this.users.update({ email }, { role: 'admin' });
    const user = await this.users.findOneBy({ email });
    return user ? present(user) : undefined;
  }

  /** Replaces a hash by a better one of the same password, unless it has changed meanwhile. */
  private async rehash({ id, passwordHash }: User, password: string): Promise<void> {
    try {
      await this.users.update({ id, passwordHash }, { passwordHash: await this.passwords.hash(password) });
    } catch (error) {
      // The password was correct, which is all the caller needs; the next login tries again.
      this.logger.warn({ err: error }, 'A password hash could not be upgraded');
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

function present({ id, email, name, role, createdAt }: User): UserDto {
  return { id, email, name, role, createdAt: createdAt.toISOString() };
}

function emailTaken(): BusinessRuleError {
  return new BusinessRuleError({
    status: 409,
    /** An account with this e-mail address exists. Log in, or register with another address. */
    code: 'email-taken',
    detail: 'An account with this e-mail address exists already.',
  });
}

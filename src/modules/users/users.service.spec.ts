import { Logger } from '@nestjs/common';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { UniqueViolationError } from '../../platform/database/index.js';
import { TransientError } from '../../platform/errors/index.js';
import type { Passwords } from './passwords.js';
import type { UserRow, UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

const row: UserRow = {
  id: '0199-1',
  email: 'ada@example.com',
  name: 'Ada',
  role: 'customer',
  createdAt: new Date('2026-11-20T12:00:00.123Z'),
};

describe('UsersService', () => {
  const repository = {
    hasEmail: vi.fn<UsersRepository['hasEmail']>(),
    insert: vi.fn<UsersRepository['insert']>(),
    findCredentials: vi.fn<UsersRepository['findCredentials']>(),
    replaceHash: vi.fn<UsersRepository['replaceHash']>(),
    findById: vi.fn<UsersRepository['findById']>(),
    rename: vi.fn<UsersRepository['rename']>(),
    setRole: vi.fn<UsersRepository['setRole']>(),
  };
  const passwords = { hash: vi.fn<Passwords['hash']>(), check: vi.fn<Passwords['check']>() };
  const service = new UsersService(
    repository as unknown as UsersRepository,
    passwords as unknown as Passwords,
  );

  beforeEach(() => {
    vi.resetAllMocks();
    vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
    passwords.hash.mockResolvedValue('$new');
  });

  describe('register', () => {
    it('keeps the address in lower case and the password as a hash', async () => {
      repository.hasEmail.mockResolvedValue(false);
      repository.insert.mockResolvedValue(row);
      const user = await service.register({
        email: 'Ada@Example.COM',
        password: 'correct horse',
        name: 'Ada',
      });
      expect(repository.insert).toHaveBeenCalledWith(
        expect.objectContaining({ email: 'ada@example.com', passwordHash: '$new', name: 'Ada' }),
      );
      expect(user).toEqual({
        id: '0199-1',
        email: 'ada@example.com',
        name: 'Ada',
        role: 'customer',
        createdAt: '2026-11-20T12:00:00.123Z',
      });
    });

    it('answers 409 for a known address without hashing', async () => {
      repository.hasEmail.mockResolvedValue(true);
      await expect(service.register({ email: row.email, password: 'x', name: 'A' })).rejects.toMatchObject({
        status: 409,
        code: 'email-taken',
      });
      expect(passwords.hash).not.toHaveBeenCalled();
    });

    it('answers 409 to the one of two at once that comes second', async () => {
      repository.hasEmail.mockResolvedValue(false);
      repository.insert.mockRejectedValue(new UniqueViolationError('users_email_key', undefined));
      await expect(service.register({ email: row.email, password: 'x', name: 'A' })).rejects.toMatchObject({
        code: 'email-taken',
      });
    });

    it('does not take another failure for a taken address', async () => {
      repository.hasEmail.mockResolvedValue(false);
      repository.insert.mockRejectedValue(new UniqueViolationError('users_pkey', undefined));
      await expect(service.register({ email: row.email, password: 'x', name: 'A' })).rejects.toBeInstanceOf(
        UniqueViolationError,
      );
    });
  });

  describe('verifyCredentials', () => {
    const account = { id: '0199-1', role: 'admin' as const, passwordHash: '$old' };

    it('knows the account by address and password', async () => {
      repository.findCredentials.mockResolvedValue(account);
      passwords.check.mockResolvedValue({ matches: true, outdated: false });
      expect(await service.verifyCredentials('ADA@example.com', 'right')).toEqual({
        id: '0199-1',
        role: 'admin',
      });
      expect(repository.findCredentials).toHaveBeenCalledWith('ada@example.com');
      expect(repository.replaceHash).not.toHaveBeenCalled();
    });

    it('checks a password for an unknown address, too, and finds nobody', async () => {
      passwords.check.mockResolvedValue({ matches: false, outdated: false });
      expect(await service.verifyCredentials('nobody@example.com', 'any')).toBeUndefined();
      expect(passwords.check).toHaveBeenCalledWith('any', undefined);
    });

    it('replaces a hash of old parameters', async () => {
      repository.findCredentials.mockResolvedValue(account);
      passwords.check.mockResolvedValue({ matches: true, outdated: true });
      expect(await service.verifyCredentials(row.email, 'right')).toBeDefined();
      expect(repository.replaceHash).toHaveBeenCalledWith('0199-1', '$old', '$new');
    });

    it('lets the user in although the new hash cannot be stored', async () => {
      repository.findCredentials.mockResolvedValue(account);
      passwords.check.mockResolvedValue({ matches: true, outdated: true });
      passwords.hash.mockRejectedValue(new TransientError({ code: 'busy', detail: 'busy' }));
      expect(await service.verifyCredentials(row.email, 'right')).toEqual({ id: '0199-1', role: 'admin' });
    });
  });

  it('answers 404 about a user who is gone', async () => {
    for (const question of [service.get('x'), service.contactOf('x'), service.update('x', { name: 'B' })]) {
      await expect(question).rejects.toMatchObject({ status: 404, code: 'user-not-found' });
    }
  });

  it('changes nothing when nothing is to be changed', async () => {
    repository.findById.mockResolvedValue(row);
    expect((await service.update('0199-1', {})).name).toBe('Ada');
    expect(repository.rename).not.toHaveBeenCalled();
  });

  it('promotes by address, whatever its case, and says when there is nobody', async () => {
    repository.setRole.mockResolvedValueOnce({ ...row, role: 'admin' });
    expect(await service.promote('ADA@example.com')).toMatchObject({ role: 'admin' });
    expect(repository.setRole).toHaveBeenCalledWith('ada@example.com', 'admin');
    expect(await service.promote('nobody@example.com')).toBeUndefined();
  });
});

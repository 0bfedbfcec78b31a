import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Repository } from 'typeorm';
import type { Passwords } from '../../src/modules/users/passwords.js';
import { User } from '../../src/modules/users/user.entity.js';
import { UsersService } from '../../src/modules/users/users.service.js';
import { newId } from '../../src/platform/database/index.js';
import { TransientError } from '../../src/platform/errors/index.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';

describe('UsersService', () => {
  let db: TestDatabase;
  let rows: Repository<User>;
  let users: UsersService;
  const passwords = { hash: vi.fn<Passwords['hash']>(), check: vi.fn<Passwords['check']>() };

  beforeAll(async () => {
    db = await openTestDatabase({}, undefined, [User]);
    rows = db.dataSource.getRepository(User);
    users = new UsersService(rows, db.dataSource, passwords as unknown as Passwords);
  });

  afterAll(() => db?.close());

  beforeEach(async () => {
    await db.database.execute({ text: 'TRUNCATE users CASCADE' });
    vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
    passwords.hash.mockReset().mockResolvedValue('$hash');
    passwords.check.mockReset();
  });

  const add = (email = 'ada@example.com') =>
    users.register({ email, password: 'correct horse', name: 'Ada' });
  const hashOf = async (id: string) => (await rows.findOneBy({ id }))?.passwordHash;

  describe('register', () => {
    it('creates a customer, with the address in lower case and the password as a hash', async () => {
      const user = await add('Ada@Example.COM');
      expect(user).toEqual({
        id: expect.any(String) as string,
        email: 'ada@example.com',
        name: 'Ada',
        role: 'customer',
        createdAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      });
      expect(await users.get(user.id)).toEqual(user);
      expect(await hashOf(user.id)).toBe('$hash');
      expect(await users.isRegistered('ADA@example.com')).toBe(true);
      expect(await users.isRegistered('grace@example.com')).toBe(false);
    });

    it('answers 409 for a known address without hashing', async () => {
      await add();
      passwords.hash.mockClear();
      await expect(add()).rejects.toMatchObject({ status: 409, code: 'email-taken' });
      expect(passwords.hash).not.toHaveBeenCalled();
    });

    it('creates one account for an address when two register at once', async () => {
      // Both have found the address free before either writes.
      const both = Promise.withResolvers<string>();
      passwords.hash.mockReturnValueOnce(both.promise).mockImplementationOnce(async () => {
        both.resolve('$first');
        return both.promise;
      });
      const outcomes = await Promise.allSettled([add(), add()]);
      const failures = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(failures).toMatchObject([{ reason: { status: 409, code: 'email-taken' } }]);
      expect(await rows.count()).toBe(1);
    });
  });

  describe('verifyCredentials', () => {
    it('finds the account by address and password', async () => {
      const { id } = await add();
      passwords.check.mockResolvedValue({ matches: true, outdated: false });
      expect(await users.verifyCredentials('ADA@example.com', 'right')).toEqual({ id, role: 'customer' });
      expect(passwords.check).toHaveBeenCalledWith('right', '$hash');
    });

    it('checks the password for an unknown address too', async () => {
      passwords.check.mockResolvedValue({ matches: false, outdated: false });
      expect(await users.verifyCredentials('grace@example.com', 'any')).toBeUndefined();
      expect(passwords.check).toHaveBeenCalledWith('any', undefined);
    });

    describe('when the hash has old parameters', () => {
      it('replaces it', async () => {
        const { id } = await add();
        passwords.check.mockResolvedValue({ matches: true, outdated: true });
        passwords.hash.mockResolvedValue('$better');
        await users.verifyCredentials('ada@example.com', 'right');
        expect(await hashOf(id)).toBe('$better');
      });

      it('keeps it when it has changed meanwhile', async () => {
        const { id } = await add();
        passwords.check.mockResolvedValue({ matches: true, outdated: true });
        passwords.hash.mockImplementation(async () => {
          await rows.update({ id }, { passwordHash: '$changed' });
          return '$better';
        });
        await users.verifyCredentials('ada@example.com', 'right');
        expect(await hashOf(id)).toBe('$changed');
      });

      it('accepts the login although the new hash cannot be stored', async () => {
        const { id } = await add();
        passwords.check.mockResolvedValue({ matches: true, outdated: true });
        passwords.hash.mockRejectedValue(new TransientError({ code: 'busy', detail: 'busy' }));
        expect(await users.verifyCredentials('ada@example.com', 'right')).toMatchObject({ id });
      });
    });
  });

  it('lists all, newest first, page by page', async () => {
    const added: string[] = [];
    for (let i = 0; i < 5; i++) added.push((await add(`user${i}@example.com`)).id);
    // Ids made in the same millisecond are in no particular order.
    const ids = added.toSorted().reverse();
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await users.list({ limit: 2, cursor });
      expect(page.data.length).toBeLessThanOrEqual(2);
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(seen).toEqual(ids);
  });

  it('changes the given members, and nothing else', async () => {
    const { id } = await add();
    expect(await users.update(id, { name: 'Countess' })).toMatchObject({ id, name: 'Countess' });
    expect(await users.update(id, {})).toEqual(await users.get(id));
  });

  it('answers 404 for a user that does not exist', async () => {
    const id = newId();
    for (const work of [
      () => users.get(id),
      () => users.contactOf(id),
      () => users.update(id, { name: 'B' }),
    ]) {
      await expect(work()).rejects.toMatchObject({ status: 404, code: 'user-not-found' });
    }
  });

  it('promotes by address, in any case, and reports an unknown one', async () => {
    const { id } = await add();
    expect(await users.promote('ADA@example.com')).toMatchObject({ id, role: 'admin' });
    expect(await users.promote('grace@example.com')).toBeUndefined();
  });

  it('stores only the two roles', async () => {
    const { id } = await add();
    await expect(rows.update({ id }, { role: 'root' as never })).rejects.toMatchObject({
      constraint: 'users_role_check',
    });
  });
});

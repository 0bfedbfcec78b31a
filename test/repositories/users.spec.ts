import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { UsersRepository } from '../../src/modules/users/users.repository.js';
import { newId, UniqueViolationError } from '../../src/platform/database/index.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';

describe('UsersRepository', () => {
  let db: TestDatabase;
  let users: UsersRepository;

  beforeAll(async () => {
    db = await openTestDatabase();
    users = new UsersRepository(db.database);
  });

  afterAll(() => db?.close());

  beforeEach(() => db.database.execute({ text: 'TRUNCATE users CASCADE' }));

  async function add(email: string): Promise<string> {
    const id = newId();
    await users.insert({ id, email, name: 'Ada', passwordHash: '$hash' });
    return id;
  }

  it('gives back what it stores, as a customer and without the hash', async () => {
    const id = newId();
    const row = await users.insert({ id, email: 'ada@example.com', name: 'Ada Ünal', passwordHash: '$hash' });
    expect(row).toEqual({
      id,
      email: 'ada@example.com',
      name: 'Ada Ünal',
      role: 'customer',
      createdAt: expect.any(Date) as Date,
    });
    expect(await users.findById(id)).toEqual(row);
    expect(await users.findCredentials('ada@example.com')).toEqual({
      id,
      role: 'customer',
      passwordHash: '$hash',
    });
  });

  it('stores one account per address, also of two at once', async () => {
    const outcomes = await Promise.allSettled([add('ada@example.com'), add('ada@example.com')]);
    const [failure] = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
    );
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(failure).toBeInstanceOf(UniqueViolationError);
    expect((failure as UniqueViolationError).constraint).toBe('users_email_key');
  });

  it('knows whether an address has an account', async () => {
    await add('ada@example.com');
    expect(await users.hasEmail('ada@example.com')).toBe(true);
    expect(await users.hasEmail('grace@example.com')).toBe(false);
    expect(await users.findCredentials('grace@example.com')).toBeUndefined();
    expect(await users.findById(newId())).toBeUndefined();
  });

  it('lists all, newest first, page by page', async () => {
    const added: string[] = [];
    for (let i = 0; i < 5; i++) added.push(await add(`user${i}@example.com`));
    // Ids made in the same millisecond are in no particular order.
    const ids = added.toSorted().reverse();
    const first = await users.page(2);
    expect(first.map(({ id }) => id)).toEqual(ids.slice(0, 3));
    const second = await users.page(2, ids[1]);
    expect(second.map(({ id }) => id)).toEqual(ids.slice(2, 5));
    expect(await users.page(2, ids[4])).toEqual([]);
  });

  it('renames and says when there is nobody to rename', async () => {
    const id = await add('ada@example.com');
    expect(await users.rename(id, 'Countess')).toMatchObject({ id, name: 'Countess' });
    expect((await users.findById(id))?.name).toBe('Countess');
    expect(await users.rename(newId(), 'Nobody')).toBeUndefined();
  });

  it('changes a role by address', async () => {
    const id = await add('ada@example.com');
    expect(await users.setRole('ada@example.com', 'admin')).toMatchObject({ id, role: 'admin' });
    expect(await users.setRole('grace@example.com', 'admin')).toBeUndefined();
  });

  it('replaces a hash only while it is the one that was checked', async () => {
    const id = await add('ada@example.com');
    await users.replaceHash(id, '$another', '$better');
    expect((await users.findCredentials('ada@example.com'))?.passwordHash).toBe('$hash');
    await users.replaceHash(id, '$hash', '$better');
    expect((await users.findCredentials('ada@example.com'))?.passwordHash).toBe('$better');
  });

  it('knows no other roles than the two', async () => {
    await add('ada@example.com');
    await expect(users.setRole('ada@example.com', 'root' as never)).rejects.toMatchObject({
      constraint: 'users_role_check',
    });
  });
});

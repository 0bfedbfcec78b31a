import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLedger, type LedgerUnderTest } from '../specimen/ledger-under-test.ts';
import { newAdmin, newUser, type TestUser } from '../factories/users.ts';

interface User {
  id: string;
  email: string;
  name: string;
  role: string;
  createdAt: string;
}
interface Problem {
  code: string;
  errors?: { pointer?: string; parameter?: string }[];
}

describe('users', () => {
  let ledger: LedgerUnderTest;
  let ada: TestUser;
  let admin: TestUser;

  beforeAll(async () => {
    ledger = await startLedger({ RATE_LIMIT_ENABLED: 'false' });
    ada = await newUser(ledger);
    admin = await newAdmin(ledger);
  });

  afterAll(() => ledger?.stop());

  it('read their account', async () => {
    const { status, body } = await ada.http.get<User>('/v1/users/me');
    expect(status).toBe(200);
    expect(body).toEqual({
      id: ada.userId,
      email: expect.stringContaining('@example.com') as string,
      name: 'Ada',
      role: 'customer',
      createdAt: expect.stringMatching(/Z$/) as string,
    });
  });

  it('change their name, and see it changed', async () => {
    const name = 'Ada, Countess of Lovelace — Ä€😀';
    const changed = await ada.http.patch<User>('/v1/users/me', { name });
    expect([changed.status, changed.body.name]).toEqual([200, name]);
    expect((await ada.http.get<User>('/v1/users/me')).body).toEqual(changed.body);
    expect((await ada.http.patch<User>('/v1/users/me', {})).body).toEqual(changed.body);
  });

  it.each([
    ['a blank name', { name: ' ' }, '/name'],
    ['null as the name', { name: null }, '/name'],
    ['a NUL byte', { name: 'A\0' }, '/name'],
    ['another role', { role: 'admin' }, '/role'],
    ['another address', { email: 'eve@example.com' }, '/email'],
  ])('cannot change to %s', async (_, change, pointer) => {
    const before = (await ada.http.get<User>('/v1/users/me')).body;
    const { status, body } = await ada.http.patch<Problem>('/v1/users/me', change);
    expect(status).toBe(422);
    expect(body.errors?.map((error) => error.pointer)).toEqual([pointer]);
    expect((await ada.http.get<User>('/v1/users/me')).body).toEqual(before);
  });

  it('are listed for admins only', async () => {
    const refused = await ada.http.get<Problem>('/v1/users');
    expect([refused.status, refused.body.code]).toEqual([403, 'forbidden']);
    expect((await ledger.http.get('/v1/users')).status).toBe(401);
    const { data } = (await admin.http.get<{ data: User[] }>('/v1/users')).body;
    expect(data.map(({ id }) => id).toSorted()).toEqual([ada.userId, admin.userId].toSorted());
    expect(Object.keys(data[0] ?? {}).toSorted()).toEqual(['createdAt', 'email', 'id', 'name', 'role']);
  });

  it('are paged, each listed once', async () => {
    for (let i = 0; i < 3; i++) await newUser(ledger);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor ? `?limit=2&cursor=${cursor}` : '?limit=2';
      const { body } = await admin.http.get<{ data: User[]; nextCursor: string | null }>(`/v1/users${query}`);
      seen.push(...body.data.map(({ id }) => id));
      cursor = body.nextCursor;
    }
    expect(seen).toHaveLength(5);
    expect(seen).toEqual([...new Set(seen)].toSorted().reverse());
  });

  it.each([
    'cursor=x',
    `cursor=${Buffer.from('["1"]').toString('base64url')}`,
    'limit=0',
    'limit=1.5',
    'sort=name',
  ])('are not listed for %s', async (query) => {
    const { status, body } = await admin.http.get<Problem>(`/v1/users?${query}`);
    expect(status).toBe(422);
    expect(body.errors?.[0]?.parameter).toBe(query.split('=')[0]);
  });
});

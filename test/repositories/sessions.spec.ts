import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newRefreshToken, nextRefreshToken } from '../../src/modules/auth/refresh-token.js';
import { Session } from '../../src/modules/auth/session.entity.js';
import { SessionsRepository } from '../../src/modules/auth/sessions.repository.js';
import { User } from '../../src/modules/users/user.entity.js';
import { newId } from '../../src/platform/database/index.js';
import { planOf } from '../support/plans.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { newUserRow } from '../factories/users.ts';

describe('SessionsRepository', () => {
  let db: TestDatabase;
  let sessions: SessionsRepository;
  let userId: string;

  beforeAll(async () => {
    db = await openTestDatabase({}, undefined, [User, Session]);
    sessions = new SessionsRepository(db.database, db.dataSource.getRepository(Session));
  });

  afterAll(() => db?.close());

  beforeEach(async () => {
    await db.database.execute({ text: 'TRUNCATE users CASCADE' });
    userId = await newUserRow(db.database, { email: 'ada@example.com' });
  });

  async function start(owner = userId, details: { userAgent?: string; ipAddress?: string } = {}) {
    const id = newId();
    const token = newRefreshToken();
    const { familyHash, tokenHash } = token;
    const { userAgent = null, ipAddress = null } = details;
    await sessions.insert({
      id,
      userId: owner,
      familyHash,
      tokenHash,
      userAgent,
      ipAddress,
      ttlSeconds: 3600,
      maxPerUser: 10,
    });
    return { id, token };
  }

  const age = (id: string, column: string, seconds: number) =>
    db.database.execute({
      text: `UPDATE sessions SET ${column} = now() - make_interval(secs => $2) WHERE id = $1`,
      values: [id, seconds],
    });

  describe('insert', () => {
    it('ends the least recently used sessions of the user beyond a number', async () => {
      const stranger = await newUserRow(db.database, { email: 'grace@example.com' });
      const foreign = await start(stranger);
      const started: { id: string }[] = [];
      for (let i = 0; i < 10; i++) started.push(await start());
      // The first one is in use.
      for (const [i, { id }] of started.entries()) await age(id, 'last_used_at', i === 0 ? 1 : 100 - i);
      await start();
      await start();
      const live = (await sessions.page(userId, 20)).map(({ id }) => id);
      expect(live).toHaveLength(10);
      expect(live).toContain(started[0]?.id);
      for (const { id } of started.slice(1, 3)) expect(live).not.toContain(id);
      expect(await sessions.page(stranger, 20)).toMatchObject([{ id: foreign.id }]);
    });

    it('returns the ended sessions', async () => {
      const oldest = await start();
      for (let i = 0; i < 9; i++) await start();
      await age(oldest.id, 'last_used_at', 100);
      const { familyHash, tokenHash } = newRefreshToken();
      const session = { id: newId(), userId, familyHash, tokenHash, userAgent: null, ipAddress: null };
      expect(await sessions.insert({ ...session, ttlSeconds: 60, maxPerUser: 10 })).toEqual([oldest.id]);
    });
  });

  describe('rotate', () => {
    it('exchanges the token of a live session and knows the role of its user', async () => {
      const { id, token } = await start();
      await db.database.execute({ text: `UPDATE users SET role = 'admin'` });
      const next = nextRefreshToken(token);
      expect(await sessions.rotate(token, next.tokenHash, 3600)).toEqual({
        id,
        userId,
        role: 'admin',
        retried: false,
      });
      expect(await sessions.rotate(next, nextRefreshToken(next).tokenHash, 3600)).toMatchObject({ id });
    });

    it('extends the session and records the use', async () => {
      const { id, token } = await start();
      await age(id, 'last_used_at', 600);
      await sessions.rotate(token, nextRefreshToken(token).tokenHash, 7200);
      const [row] = await db.database.query<{ left: number; idle: number }>({
        text: `SELECT extract(epoch FROM expires_at - now())::int AS left,
          extract(epoch FROM now() - last_used_at)::int AS idle FROM sessions`,
      });
      expect(row?.left).toBeGreaterThan(7100);
      expect(row?.idle).toBeLessThan(10);
    });

    it('gives each of many concurrent refreshes a successor, until one of those is used', async () => {
      const { token } = await start();
      const successors = Array.from({ length: 8 }, () => nextRefreshToken(token));
      const outcomes = await Promise.all(
        successors.map(({ tokenHash }) => sessions.rotate(token, tokenHash, 3600)),
      );
      expect(outcomes.filter((outcome) => outcome?.retried === false)).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome?.retried === true)).toHaveLength(7);
      const [one, another] = successors as [typeof token, typeof token];
      expect(await sessions.rotate(one, nextRefreshToken(one).tokenHash, 3600)).toMatchObject({
        retried: false,
      });
      for (const old of [token, another])
        expect(await sessions.rotate(old, nextRefreshToken(old).tokenHash, 3600)).toBeUndefined();
    });

    it.each(['used', 'unknown', 'expired', 'revoked'])('rejects a token that is %s', async (how) => {
      const { id, token } = await start();
      if (how === 'used') {
        const next = nextRefreshToken(token);
        await sessions.rotate(token, next.tokenHash, 3600);
        await sessions.rotate(next, nextRefreshToken(next).tokenHash, 3600);
      }
      if (how === 'expired') await age(id, 'expires_at', 1);
      if (how === 'revoked') await sessions.revoke(id, userId);
      const presented = how === 'unknown' ? newRefreshToken() : token;
      expect(await sessions.rotate(presented, newRefreshToken().tokenHash, 3600)).toBeUndefined();
    });
  });

  describe('revokeFamily', () => {
    it('ends the session that a token belongs to, by any token of it, once', async () => {
      const { id, token } = await start();
      const { familyHash } = nextRefreshToken(token);
      expect(await sessions.revokeFamily(familyHash)).toEqual({ id, userId });
      expect(await sessions.revokeFamily(familyHash)).toBeUndefined();
      expect(await sessions.rotate(token, newRefreshToken().tokenHash, 3600)).toBeUndefined();
    });

    it('ends nothing for a forged token', async () => {
      await start();
      expect(await sessions.revokeFamily(newRefreshToken().familyHash)).toBeUndefined();
      expect(await sessions.page(userId, 10)).toHaveLength(1);
    });
  });

  describe('revoke', () => {
    it('ends a live session of its user, once', async () => {
      const { id } = await start();
      expect(await sessions.revoke(id, userId)).toBe(true);
      expect(await sessions.revoke(id, userId)).toBe(false);
    });

    it('does not end a session of another user, an expired one or an unknown one', async () => {
      const { id } = await start();
      const stranger = await newUserRow(db.database, { email: 'grace@example.com' });
      expect(await sessions.revoke(id, stranger)).toBe(false);
      await age(id, 'expires_at', 1);
      expect(await sessions.revoke(id, userId)).toBe(false);
      expect(await sessions.revoke(newId(), userId)).toBe(false);
    });
  });

  describe('page', () => {
    it("shows a user's live sessions, newest first, page by page", async () => {
      const stranger = await newUserRow(db.database, { email: 'grace@example.com' });
      await start(stranger);
      const started: string[] = [];
      for (let i = 0; i < 5; i++) started.push((await start()).id);
      // Ids made in the same millisecond are in no particular order.
      const ids = started.toSorted().reverse();
      await age((await start()).id, 'expires_at', 1);
      await sessions.revoke((await start()).id, userId);
      expect((await sessions.page(userId, 2)).map(({ id }) => id)).toEqual(ids.slice(0, 3));
      expect((await sessions.page(userId, 3, ids[1])).map(({ id }) => id)).toEqual(ids.slice(2));
    });

    it('shows address and client of a session when they are known', async () => {
      const { id } = await start(userId, { userAgent: 'curl/8', ipAddress: '2001:db8::1' });
      expect((await sessions.page(userId, 10))[0]).toMatchObject({
        id,
        userAgent: 'curl/8',
        ipAddress: '2001:db8::1',
        createdAt: expect.any(Date) as Date,
        lastUsedAt: expect.any(Date) as Date,
      });
      await start();
      expect((await sessions.page(userId, 1))[0]).toMatchObject({ userAgent: null, ipAddress: null });
    });
  });

  it('returns what was revoked within some seconds, oldest first', async () => {
    const [old, second, first, live] = [await start(), await start(), await start(), await start()];
    await age(old.id, 'revoked_at', 100);
    await age(first.id, 'revoked_at', 20);
    await age(second.id, 'revoked_at', 10);
    expect(await sessions.revokedWithin(60)).toEqual([first.id, second.id]);
    expect(await sessions.revokedWithin(200)).not.toContain(live.id);
  });

  it('deletes what ended before the grace period, and nothing else', async () => {
    const [expired, revoked, justExpired, justRevoked, live] = await Promise.all(
      Array.from({ length: 5 }, () => start()),
    );
    await age(expired?.id ?? '', 'expires_at', 1000);
    await age(revoked?.id ?? '', 'revoked_at', 1000);
    await age(justExpired?.id ?? '', 'expires_at', 10);
    await age(justRevoked?.id ?? '', 'revoked_at', 10);
    expect(await sessions.deleteEnded(100, 1)).toBe(2);
    expect(await sessions.deleteEnded(100, 10)).toBe(0);
    const left = await db.database.query<{ id: string }>({ text: 'SELECT id FROM sessions' });
    expect(left.map(({ id }) => id).toSorted()).toEqual(
      [justExpired, justRevoked, live].map((session) => session?.id ?? '').toSorted(),
    );
  });

  it('is deleted with its user', async () => {
    await start();
    await db.database.execute({ text: 'DELETE FROM users WHERE id = $1', values: [userId] });
    expect(await db.database.query({ text: 'SELECT 1 FROM sessions' })).toEqual([]);
  });

  it('uses indexes with any number of sessions', async () => {
    await db.database.execute({
      text: `INSERT INTO sessions (id, user_id, family_hash, token_hash, expires_at)
        SELECT uuidv7(), $1, sha256(n::text::bytea), 'x', now() + interval '1 day' FROM generate_series(1, 20000) n`,
      values: [userId],
    });
    await db.database.execute({ text: 'ANALYZE sessions' });
    const plan = (ask: () => Promise<unknown>) => planOf(db, ask);
    const token = newRefreshToken();
    expect(await plan(() => sessions.revokedWithin(16))).toContain('sessions_revoked_at_idx');
    expect(await plan(() => sessions.rotate(token, token.tokenHash, 60))).toContain(
      'sessions_family_hash_key',
    );
    expect(await plan(() => sessions.revokeFamily(token.familyHash))).toContain('sessions_family_hash_key');
    for (const ask of [
      () => sessions.revoke(newId(), userId),
      () => sessions.page(userId, 20),
      () => sessions.page(userId, 20, newId()),
      () => sessions.deleteEnded(100, 10),
    ]) {
      expect(await plan(ask)).not.toContain('Seq Scan');
    }
  });
});

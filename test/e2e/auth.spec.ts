import { argon2Sync, randomUUID } from 'node:crypto';
import { createSigner } from 'fast-jwt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsersService } from '../../src/modules/users/index.js';
import type { HttpResponse } from '../../local/http.ts';
import { startLedger, type LedgerUnderTest } from '../specimen/ledger-under-test.ts';
import { newUser } from '../factories/users.ts';

interface Tokens {
  accessToken: string;
  refreshToken: string;
  tokenType: string;
  expiresIn: number;
}
interface Problem {
  code: string;
  errors?: { pointer: string; code: string }[];
}

const PASSWORD = 'correct horse battery staple';

describe('authentication', () => {
  let ledger: LedgerUnderTest;

  beforeAll(async () => {
    ledger = await startLedger({ RATE_LIMIT_ENABLED: 'false' });
  });

  afterAll(() => ledger?.stop());

  const newEmail = () => `${randomUUID()}@example.com`;
  const register = (account: object) =>
    ledger.http.post<Problem & Record<string, unknown>>('/v1/auth/register', account);
  const login = (email: string, password = PASSWORD) =>
    ledger.http.post<Tokens & Problem>('/v1/auth/login', { email, password });
  const refresh = (refreshToken: string) =>
    ledger.http.post<Tokens & Problem>('/v1/auth/refresh', { refreshToken });
  const me = (accessToken: string) => ledger.http.as(accessToken).get<Problem>('/v1/users/me');

  const signUp = () => newUser(ledger, { password: PASSWORD });

  describe('register', () => {
    it('creates an account and returns it without the password', async () => {
      const { status, body } = await register({
        email: 'New.One@Example.com',
        password: PASSWORD,
        name: 'New One',
      });
      expect(status).toBe(201);
      expect(body).toEqual({
        id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
        email: 'new.one@example.com',
        name: 'New One',
        role: 'customer',
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      });
      const [row] = await ledger.sql<{ password_hash: string }>(
        'SELECT password_hash FROM users WHERE id = $1',
        [body.id],
      );
      expect(row?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    });

    it('answers 409 for a taken address, in any case', async () => {
      const { email } = await signUp();
      const { status, body } = await register({
        email: email.toUpperCase(),
        password: PASSWORD,
        name: 'Eve',
      });
      expect([status, body.code]).toEqual([409, 'email-taken']);
    });

    it('treats composed and decomposed characters as the same address', async () => {
      const local = randomUUID();
      const composed = { email: `ren\u00e9.${local}@example.com`, password: PASSWORD, name: 'René' };
      const decomposed = { ...composed, email: `rene\u0301.${local}@example.com` };
      expect(await register(decomposed)).toMatchObject({ status: 201, body: { email: composed.email } });
      expect((await register(composed)).status).toBe(409);
      for (const { email } of [composed, decomposed]) expect((await login(email)).status).toBe(200);
    });

    it('answers one of two concurrent requests with 201 and the other with 409', async () => {
      const account = { email: newEmail(), password: PASSWORD, name: 'Ada' };
      const answers = await Promise.all([register(account), register(account)]);
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409]);
    });

    it.each([
      ['no body', undefined, ''],
      ['a missing address', { email: undefined }, '/email'],
      ['an impossible address', { email: 'ada' }, '/email'],
      ['an overlong address', { email: `${'a'.repeat(64)}@${'b'.repeat(200)}.example.com` }, '/email'],
      ['an address of another type', { email: ['ada@example.com'] }, '/email'],
      ['a short password', { password: '1234567' }, '/password'],
      ['an overlong password', { password: 'x'.repeat(129) }, '/password'],
      ['a password of another type', { password: 12345678 }, '/password'],
      ['a NUL byte in the password', { password: 'correct\0horse' }, '/password'],
      ['no name', { name: undefined }, '/name'],
      ['a blank name', { name: '   ' }, '/name'],
      ['a NUL byte in the name', { name: 'A\0da' }, '/name'],
      ['a line break in the name', { name: 'Ada\r\nBcc: eve@example.com' }, '/name'],
      ['a line separator in the name', { name: 'Ada\u2028You owe us money' }, '/name'],
      ['a character in the name that reverses text', { name: 'Ada \u202egro.live' }, '/name'],
      ['a URL in the name', { name: 'Win now: https://evil.example' }, '/name'],
      ['a URL without a scheme in the name', { name: 'Go to WWW.evil' }, '/name'],
      ['an overlong name', { name: 'x'.repeat(101) }, '/name'],
      ['null as the name', { name: null }, '/name'],
      ['a role', { role: 'admin' }, '/role'],
    ])('rejects %s with 422 and a pointer to it', async (_, change, pointer) => {
      const account = change && { email: newEmail(), password: PASSWORD, name: 'Ada', ...change };
      const { status, body } = await register(account as object);
      expect([status, body.code]).toEqual([422, 'validation-failed']);
      expect(body.errors?.map((error) => error.pointer)).toEqual([pointer]);
    });

    it('answers fast for a very long invalid name', async () => {
      const answer = await register({
        email: newEmail(),
        password: PASSWORD,
        name: `${'a'.repeat(200_000)}\n`,
      });
      expect(answer.status).toBe(422);
      // A backtracking expression would take minutes.
      expect(answer.durationMs).toBeLessThan(10_000);
    });
  });

  describe('login', () => {
    it('returns tokens for an address in any case and its password', async () => {
      const { email } = await signUp();
      const { status, body } = await login(email.toUpperCase());
      expect(status).toBe(200);
      expect(body).toEqual({
        accessToken: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/) as string,
        refreshToken: expect.stringMatching(/^[\w-]{64}$/) as string,
        tokenType: 'Bearer',
        expiresIn: 900,
      });
      expect((await me(body.accessToken)).status).toBe(200);
    });

    it('gives the same answer to a wrong password and an unknown address', async () => {
      const { email } = await signUp();
      const answers = [await login(email, 'wrong password'), await login(newEmail(), PASSWORD)];
      const bare = answers.map(({ status, text, headers }) => {
        const { requestId, ...rest } = JSON.parse(text) as Problem & { requestId: string };
        return { status, rest, challenge: headers.get('www-authenticate'), named: requestId !== '' };
      });
      expect(bare[0]).toMatchObject({
        status: 401,
        rest: { code: 'invalid-credentials' },
        challenge: 'Bearer',
      });
      expect(bare[1]).toEqual(bare[0]);
    });

    it('upgrades hashes with other parameters', async () => {
      const { email } = await signUp();
      // Argon2id of the password above with m=8192, t=1, p=1, as another system might have made it.
      const nonce = Buffer.alloc(16, 1);
      const tag = argon2Sync('argon2id', {
        message: PASSWORD,
        nonce,
        memory: 8192,
        passes: 1,
        parallelism: 1,
        tagLength: 32,
      });
      const base64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
      const old = `$argon2id$v=19$m=8192,t=1,p=1$${base64(nonce)}$${base64(tag)}`;
      await ledger.sql('UPDATE users SET password_hash = $2 WHERE email = $1', [email, old]);
      expect((await login(email)).status).toBe(200);
      const [row] = await ledger.sql<{ password_hash: string }>(
        'SELECT password_hash FROM users WHERE email = $1',
        [email],
      );
      expect(row?.password_hash).toContain('m=19456,t=2,p=1');
      expect((await login(email)).status).toBe(200);
    });

    it.each([
      ['an overlong password', { password: 'x'.repeat(129) }, '/password'],
      ['a missing password', { password: undefined }, '/password'],
      ['a missing address', { email: 'ada' }, '/email'],
    ])('rejects %s with 422', async (_, change, pointer) => {
      const { status, body } = await ledger.http.post<Problem>('/v1/auth/login', {
        email: newEmail(),
        password: PASSWORD,
        ...change,
      });
      expect(status).toBe(422);
      expect(body.errors?.map((error) => error.pointer)).toEqual([pointer]);
    });
  });

  describe('an access token', () => {
    /** What matters of a refusal, to compare. */
    const refusal = ({ status, body, headers }: HttpResponse<Problem>) => ({
      status,
      code: body.code,
      challenge: headers.get('www-authenticate'),
    });
    const unauthenticated = { status: 401, code: 'unauthenticated', challenge: 'Bearer' };
    const invalid = { ...unauthenticated, challenge: 'Bearer error="invalid_token"' };

    it('is required', async () => {
      expect(refusal(await ledger.http.get('/v1/users/me'))).toEqual(unauthenticated);
    });

    it.each(['nonsense', 'a.b.c', '', 'x'.repeat(4000)])('is rejected when it is %j', async (token) => {
      expect(refusal(await me(token))).toEqual(invalid);
    });

    it('is rejected when it has expired or has another signature', async () => {
      const { accessToken } = await signUp();
      const claims = JSON.parse(
        Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString(),
      ) as object;
      const past = { ...claims, iat: 1_700_000_000, exp: 1_700_000_900 };
      const key = ledger.settings.auth.tokenSecret;
      const tokens = [
        createSigner({ key, algorithm: 'HS256' })(past),
        createSigner({ key: 'somebody else has this key, not us', algorithm: 'HS256' })(claims),
      ];
      for (const token of tokens) expect(refusal(await me(token))).toEqual(invalid);
      expect((await me(createSigner({ key, algorithm: 'HS256' })(claims))).status).toBe(200);
    });

    it('is ignored on a public route', async () => {
      const answer = await ledger.http.as('nonsense').get('/v1/accounts');
      expect(answer.status).toBe(200);
    });

    it('has a role that changes with the next refresh', async () => {
      const { email, accessToken, refreshToken } = await signUp();
      await ledger.api.get(UsersService, { strict: false }).promote(email);
      expect((await ledger.http.as(accessToken).get<Problem>('/v1/users')).body.code).toBe('forbidden');
      const { body } = await refresh(refreshToken);
      expect((await ledger.http.as(body.accessToken).get('/v1/users')).status).toBe(200);
    });
  });

  describe('refresh', () => {
    it('returns two new tokens and keeps the previous access token valid', async () => {
      const first = await signUp();
      const { status, body } = await refresh(first.refreshToken);
      expect(status).toBe(200);
      expect(body).toMatchObject({ tokenType: 'Bearer', expiresIn: 900 });
      expect(body.refreshToken).not.toBe(first.refreshToken);
      for (const { accessToken } of [first, body]) expect((await me(accessToken)).status).toBe(200);
      expect((await refresh(body.refreshToken)).status).toBe(200);
    });

    it('ends the session, and no other one, when a token is reused after its successor', async () => {
      const { email, refreshToken } = await signUp();
      const other = (await login(email)).body;
      const { body: second } = await refresh(refreshToken);
      await refresh(second.refreshToken);
      expect((await refresh(refreshToken)).status).toBe(401);
      expect((await me(second.accessToken)).status).toBe(401);
      expect((await me(other.accessToken)).status).toBe(200);
      expect((await refresh(other.refreshToken)).status).toBe(200);
    });

    it('rejects malformed and forged tokens, without effect on sessions', async () => {
      const { accessToken, refreshToken } = await signUp();
      const made = `${'A'.repeat(22)}${refreshToken.slice(22)}`;
      for (const token of ['nonsense', made]) {
        const { status, body, headers } = await refresh(token);
        expect([status, body.code]).toEqual([401, 'invalid-refresh-token']);
        expect(headers.get('www-authenticate')).toBe('Bearer');
      }
      expect((await me(accessToken)).status).toBe(200);
      expect((await refresh('')).status).toBe(422);
    });

    it('rejects the token of a session that has expired', async () => {
      const { refreshToken } = await signUp();
      await ledger.sql(`UPDATE sessions SET expires_at = now() - interval '1 second'`);
      expect((await refresh(refreshToken)).status).toBe(401);
    });
  });
});

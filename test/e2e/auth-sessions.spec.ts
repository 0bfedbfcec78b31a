import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpClient, type HttpClient } from '../../local/http.ts';
import { waitFor } from '../../local/wait-for.ts';
import { startLedger, type LedgerUnderTest } from '../specimen/ledger-under-test.ts';

interface Session {
  id: string;
  createdAt: string;
  lastUsedAt: string;
  userAgent?: string;
  ipAddress?: string;
  current: boolean;
}
interface Page {
  data: Session[];
  nextCursor: string | null;
}

interface Account {
  email: string;
  password: string;
}
interface Login {
  account: Account;
  accessToken: string;
  refreshToken: string;
  http: HttpClient;
}

const PASSWORD = 'correct horse battery staple';

describe('sessions', () => {
  let ledger: LedgerUnderTest;

  beforeAll(async () => {
    ledger = await startLedger({ RATE_LIMIT_ENABLED: 'false' });
  });

  afterAll(() => ledger?.stop());

  async function login(account: Account, device: string): Promise<Login> {
    const { body } = await ledger.http
      .with({ 'user-agent': device })
      .post<{ accessToken: string; refreshToken: string }>('/v1/auth/login', account);
    return { ...body, account, http: ledger.http.as(body.accessToken) };
  }

  async function signUp(device = 'a laptop'): Promise<Login> {
    const account = { email: `${randomUUID()}@example.com`, password: PASSWORD };
    await ledger.http.post('/v1/auth/register', { ...account, name: 'Ada' });
    return login(account, device);
  }

  const list = async (http: HttpClient, query = '') =>
    (await http.get<Page>(`/v1/auth/sessions${query}`)).body;
  const currentId = async (http: HttpClient) =>
    (await list(http)).data.find(({ current }) => current)?.id ?? '';
  const statusOf = async (http: HttpClient) => (await http.get('/v1/users/me')).status;

  it('are listed newest first, with address, client and a mark on the current one', async () => {
    const first = await signUp('a laptop');
    const second = await login(first.account, 'a phone');
    const { data, nextCursor } = await list(first.http);
    expect(nextCursor).toBeNull();
    expect(data).toEqual([
      {
        id: expect.any(String) as string,
        createdAt: expect.stringMatching(/Z$/) as string,
        lastUsedAt: expect.stringMatching(/Z$/) as string,
        userAgent: 'a phone',
        ipAddress: '127.0.0.1',
        current: false,
      },
      expect.objectContaining({ userAgent: 'a laptop', current: true }),
    ]);
    expect(await currentId(second.http)).toBe(data[0]?.id);
  });

  it.each(['\u00ed\u00a0\u0080\u00ff', String.raw`\u0000\ud800`, '%00', 'x'.repeat(10_000)])(
    'accept any User-Agent, such as %j',
    async (device) => {
      const { http } = await signUp(device);
      const [session] = (await list(http)).data;
      expect(session?.userAgent).not.toBe('');
      expect(device.startsWith(session?.userAgent ?? '-')).toBe(true);
    },
  );

  it('are listed page by page', async () => {
    const { account, http } = await signUp('first');
    await login(account, 'second');
    await login(account, 'third');
    const first = await list(http, '?limit=2');
    expect(first.data.map(({ userAgent }) => userAgent)).toEqual(['third', 'second']);
    const second = await list(http, `?limit=2&cursor=${first.nextCursor}`);
    expect(second).toMatchObject({ data: [{ userAgent: 'first' }], nextCursor: null });
  });

  it.each(['cursor=nonsense', 'limit=0', 'limit=101', 'limit=x'])('are not listed for %s', async (query) => {
    const { http } = await signUp();
    const { status, body } = await http.get<{ errors: { parameter: string }[] }>(
      `/v1/auth/sessions?${query}`,
    );
    expect(status).toBe(422);
    expect(body.errors[0]?.parameter).toBe(query.split('=')[0]);
  });

  it('record their last refresh', async () => {
    const { http, refreshToken } = await signUp();
    await ledger.sql(
      `UPDATE sessions SET last_used_at = now() - interval '1 hour', created_at = now() - interval '1 hour'`,
    );
    await ledger.http.post('/v1/auth/refresh', { refreshToken });
    const [session] = (await list(http)).data;
    expect(Date.parse(session?.lastUsedAt ?? '') - Date.parse(session?.createdAt ?? '')).toBeGreaterThan(
      3_500_000,
    );
  });

  it('end with logout: all their tokens are rejected at once, other sessions stay', async () => {
    const gone = await signUp();
    const other = await login(gone.account, 'a phone');
    const { status, text } = await gone.http.post('/v1/auth/logout');
    expect([status, text]).toEqual([204, '']);
    expect(await statusOf(gone.http)).toBe(401);
    expect((await ledger.http.post('/v1/auth/refresh', { refreshToken: gone.refreshToken })).status).toBe(
      401,
    );
    expect(await statusOf(other.http)).toBe(200);
    expect((await list(other.http)).data).toHaveLength(1);
  });

  it('can be ended from another device', async () => {
    const lost = await signUp();
    const mine = await login(lost.account, 'a phone');
    const path = `/v1/auth/sessions/${await currentId(lost.http)}`;
    expect((await mine.http.delete(path)).status).toBe(204);
    expect(await statusOf(lost.http)).toBe(401);
    expect((await mine.http.delete(path)).status).toBe(404);
    expect(await statusOf(mine.http)).toBe(200);
  });

  it('are 404 for other users, who cannot end them', async () => {
    const ada = await signUp();
    const eve = await signUp();
    const path = `/v1/auth/sessions/${await currentId(ada.http)}`;
    const { status, body } = await eve.http.delete<{ code: string }>(path);
    expect([status, body.code]).toEqual([404, 'session-not-found']);
    expect(await statusOf(ada.http)).toBe(200);
    expect((await eve.http.delete('/v1/auth/sessions/not-an-id')).status).toBe(422);
  });

  it('are limited per user: a further login ends the least recently used one at once', async () => {
    const few = await startLedger({ RATE_LIMIT_ENABLED: 'false', AUTH_MAX_SESSIONS_PER_USER: '3' });
    try {
      const account = { email: `${randomUUID()}@example.com`, password: PASSWORD };
      await few.http.post('/v1/auth/register', { ...account, name: 'Ada' });
      const tokens: string[] = [];
      for (let i = 0; i < 5; i++) {
        const { body } = await few.http.post<{ accessToken: string }>('/v1/auth/login', account);
        tokens.push(body.accessToken);
      }
      const statuses = await Promise.all(tokens.map((token) => statusOf(few.http.as(token))));
      expect(statuses).toEqual([401, 401, 200, 200, 200]);
    } finally {
      await few.stop();
    }
  });

  it('are rejected in every process within seconds, and at once in a process that starts later', async () => {
    const { http, accessToken } = await signUp();
    const elsewhere = httpClient(await ledger.anotherApi()).as(accessToken);
    expect(await statusOf(elsewhere)).toBe(200);
    await http.post('/v1/auth/logout');
    await waitFor(async () => (await statusOf(elsewhere)) === 401, {
      what: 'the refusal by the other process',
    });
    const later = httpClient(await ledger.anotherApi()).as(accessToken);
    expect(await statusOf(later)).toBe(401);
  });
});

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../local/wait-for.ts';
import { startLedger, type LedgerUnderTest } from '../specimen/ledger-under-test.ts';

interface Tokens {
  accessToken: string;
  refreshToken: string;
  code?: string;
}

const PASSWORD = 'correct horse battery staple';

let ledger: LedgerUnderTest;

const refresh = (refreshToken: string) => ledger.http.post<Tokens>('/v1/auth/refresh', { refreshToken });
const isLoggedIn = async ({ accessToken }: Tokens) =>
  (await ledger.http.as(accessToken).get('/v1/users/me')).status === 200;

const sessionOf = ({ accessToken }: Tokens): string =>
  (JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString()) as { sid: string }).sid;

async function login(): Promise<Tokens> {
  const account = { email: `${randomUUID()}@example.com`, password: PASSWORD };
  await ledger.http.post('/v1/auth/register', { ...account, name: 'Ada' });
  return (await ledger.http.post<Tokens>('/v1/auth/login', account)).body;
}

describe('a refresh that is retried after an outage', () => {
  beforeAll(async () => {
    ledger = await startLedger({ RATE_LIMIT_ENABLED: 'false', DATABASE_QUERY_TIMEOUT_MS: '3000' });
  });

  afterAll(() => ledger?.stop());

  it('succeeds when a frozen PostgreSQL executed the first one after the client got its 503', async () => {
    const first = await login();
    // Not the whole server: once thawed, it might pass on the cancellation before this statement is executed.
    const connected = await ledger.sql<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'",
    );
    for (const { pid } of connected) process.kill(pid, 'SIGSTOP');
    try {
      const { status, text } = await refresh(first.refreshToken);
      expect(status).toBe(503);
      expect(text).not.toMatch(/nothing was changed/i);
    } finally {
      for (const { pid } of connected) process.kill(pid, 'SIGCONT');
    }
    // What was buffered in the connection's socket takes effect although its client has given up.
    await waitFor(
      async () => {
        const rows = await ledger.sql('SELECT 1 FROM sessions WHERE id = $1 AND last_used_at > created_at', [
          sessionOf(first),
        ]);
        return rows.length === 1;
      },
      { what: 'the refresh that nobody waits for' },
    );
    const retried = await waitFor(
      async () => {
        const answer = await refresh(first.refreshToken);
        return answer.status === 503 ? undefined : answer;
      },
      { what: 'an answer from PostgreSQL' },
    );
    expect(retried.status).toBe(200);
    expect(await isLoggedIn(retried.body)).toBe(true);
    expect((await refresh(retried.body.refreshToken)).status).toBe(200);
  });
});

describe('a refresh that is retried', () => {
  beforeAll(async () => {
    ledger = await startLedger({ RATE_LIMIT_ENABLED: 'false' });
  });

  afterAll(() => ledger?.stop());

  it('succeeds for several at once, and each answer is valid', async () => {
    const { refreshToken } = await login();
    const answers = await Promise.all(Array.from({ length: 6 }, () => refresh(refreshToken)));
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
    const kept = answers[2]?.body as Tokens;
    expect((await refresh(kept.refreshToken)).status).toBe(200);
  });

  it('ends the session once a successor was used, because the old token is then held twice', async () => {
    const first = await login();
    const second = (await refresh(first.refreshToken)).body;
    const third = (await refresh(second.refreshToken)).body;
    const { status, body } = await refresh(first.refreshToken);
    expect([status, body.code]).toEqual([401, 'invalid-refresh-token']);
    expect(await isLoggedIn(third)).toBe(false);
    expect((await refresh(third.refreshToken)).status).toBe(401);
  });

  it('goes on when the first request arrives after all this, from a client that has hung up', async () => {
    const first = await login();
    const second = (await refresh(first.refreshToken)).body;
    const third = (await refresh(second.refreshToken)).body;
    const late = fetch(`${ledger.url}/v1/auth/refresh`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ refreshToken: first.refreshToken }),
      signal: AbortSignal.timeout(50),
    });
    await expect(late).rejects.toThrow(/timeout/);
    // Longer than the server waits for the end of the connection.
    await delay(1000);
    expect((await refresh(third.refreshToken)).status).toBe(200);
  });

  it.each(['thief', 'owner'])(
    'by a thief before its owner uses the successor ends the session when both continue, the %s first',
    async (first) => {
      const { refreshToken } = await login();
      const owner = (await refresh(refreshToken)).body;
      const thief = (await refresh(refreshToken)).body;
      expect(thief.refreshToken).not.toBe(owner.refreshToken);
      const [ahead, behind] = first === 'thief' ? [thief, owner] : [owner, thief];
      const next = (await refresh(ahead.refreshToken)).body;
      expect((await refresh(behind.refreshToken)).status).toBe(401);
      for (const tokens of [ahead, behind, next]) expect(await isLoggedIn(tokens)).toBe(false);
      expect((await refresh(next.refreshToken)).status).toBe(401);
    },
  );

  it('keeps the successors of many retries, up to a limit', async () => {
    const first = await login();
    const { refreshToken } = first;
    for (let i = 0; i < 30; i++) expect((await refresh(refreshToken)).status).toBe(200);
    const [row] = await ledger.sql<{ kept: number }>(
      'SELECT cardinality(successor_hashes) AS kept FROM sessions WHERE id = $1',
      [sessionOf(first)],
    );
    expect(row?.kept).toBe(16);
  });

  it('is judged by the token alone when an older version has rotated it', async () => {
    const first = await login();
    const second = (await refresh(first.refreshToken)).body;
    // What a version without successors does with the second token: it knows token_hash only.
    await ledger.sql(`UPDATE sessions SET token_hash = sha256('third') WHERE id = $1`, [sessionOf(first)]);
    expect((await refresh(first.refreshToken)).status).toBe(401);
    expect(await isLoggedIn(second)).toBe(false);
  });
});

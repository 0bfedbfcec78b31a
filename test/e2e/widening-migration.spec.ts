import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../local/wait-for.ts';
import { startLedger, type LedgerUnderTest } from '../specimen/ledger-under-test.ts';
import { newAccount } from '../factories/accounts.ts';
import { newUser, type TestUser } from '../factories/users.ts';

describe('a migration that widens columns under load', () => {
  let ledger: LedgerUnderTest;
  beforeAll(async () => {
    ledger = await startLedger();
  });
  afterAll(() => ledger?.stop());

  it('is not noticed by clients', async () => {
    const ada: TestUser = await newUser(ledger);
    const [from, to] = [await newAccount(ada, 1_000_000), await newAccount(ada, 0)];
    const statuses = new Map<string, number>();
    let answered = 0;
    let transferred = 0;
    let open = true;
    const note = (what: string, status: number): void => {
      answered += 1;
      const line = `${what} ${status}`;
      statuses.set(line, (statuses.get(line) ?? 0) + 1);
    };
    const visit = async (): Promise<void> => {
      while (open) {
        const transfer = await ada.http.post<{ id: string }>(
          '/v1/transfers',
          { from, parts: [{ to, amount: 1 }] },
          { headers: { 'Idempotency-Key': randomUUID() } },
        );
        if (transfer.status === 201) transferred += 1;
        note('transfer', transfer.status);
        note('its details', (await ada.http.get(`/v1/transfers/${transfer.body.id}`)).status);
        note('the list', (await ada.http.get('/v1/transfers?limit=5')).status);
        note('the accounts', (await ledger.http.get(`/v1/accounts?limit=${1 + (transferred % 50)}`)).status);
      }
    };
    const visitors = Array.from({ length: 6 }, visit);
    const more = async (): Promise<void> => {
      const before = answered;
      await waitFor(() => answered > before + 60, { within: 30_000, what: 'traffic' });
    };
    try {
      await more();
      for (const type of ['bigint', 'integer', 'bigint']) {
        await ledger.sql(
          `ALTER TABLE accounts ALTER COLUMN balance TYPE ${type}, ALTER COLUMN version TYPE ${type}`,
        );
        await more();
      }
    } finally {
      open = false;
      await Promise.allSettled(visitors);
    }
    expect([...statuses.keys()].toSorted()).toEqual([
      'its details 200',
      'the accounts 200',
      'the list 200',
      'transfer 201',
    ]);
    const [row] = await ledger.sql<{ balance: number }>('SELECT balance FROM accounts WHERE id = $1', [from]);
    expect(row?.balance).toBe(1_000_000 - transferred);
  }, 180_000);
});
